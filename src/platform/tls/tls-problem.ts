import { tlsOptions, type TlsServer, type TlsVariables } from './tls-options.js';

/** OpenSSL's and Node's codes for a certificate that isn't trusted, as far as configuration can fix it. */
const UNTRUSTED =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE).*|CERT_SIGNATURE_FAILURE)$/;
const MAX_DEPTH = 5;

/**
 * What is wrong with the TLS of a connection that failed, with the remedy.
 *
 * @param error the client's, with the real cause somewhere within
 * @param server the beginning of its variables' names
 * @returns undefined when it isn't about TLS
 */
export function tlsProblem<Server extends TlsServer>(
  error: unknown,
  environment: TlsVariables<Server>,
  server: Server,
): string | undefined {
  const configured = tlsOptions(environment, server) !== undefined;
  for (const code of codesOf(error)) {
    const remedy = remedyOf(code, server) ?? (configured ? remedyOfReset(code, server) : undefined);
    if (remedy) return `${remedy} (${code})`;
  }
  return undefined;
}

function remedyOf(code: string, server: string): string | undefined {
  if (UNTRUSTED.test(code)) return `its certificate isn't trusted: check ${server}_TLS_CA`;
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired: renew it there';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return "its certificate is for another name than the address's";
  // What the other side says of us, RFC 8446, 6.2: no certificate, a bad, unknown, revoked or expired one.
  if (/^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/.test(code)) {
    return `it refuses our certificate: check ${server}_TLS_CERT and ${server}_TLS_KEY`;
  }
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(code)) return "it doesn't speak TLS at this port";
  return code.startsWith('ERR_SSL_') ? 'TLS fails' : undefined;
}

/**
 * A server that refuses our certificate says so after the handshake (RFC 8446, 2) and hangs up: what we have sent
 * meanwhile makes that a reset, and what it said is lost.
 */
function remedyOfReset(code: string, server: string): string | undefined {
  if (code !== 'ECONNRESET' && code !== 'EPIPE') return undefined;
  return `it closes the connection: if it wants a certificate of ours, check ${server}_TLS_CERT and ${server}_TLS_KEY`;
}

/** The codes of an error and its causes; MongoDB's driver hides them in the description of each server. */
function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return [];
  const { code, cause, reason, error: serverError, errors, servers } = error as Record<string, unknown>;
  const within = [cause, reason, serverError, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  if (servers instanceof Map) within.push(...(servers as Map<string, unknown>).values());
  return [...(typeof code === 'string' ? [code] : []), ...within.flatMap((inner) => codesOf(inner, depth + 1))];
}
