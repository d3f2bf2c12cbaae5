/** What Node's `tls.connect`, and every client built on it, calls the certificates. All of it PEM. */
export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
}

/** The servers that may have certificates of their own: the beginning of their variables' names. */
export type TlsServer = 'MONGODB' | 'REDIS' | 'RABBITMQ';

/** The variables of the area that the server belongs to. */
export type TlsVariables<Server extends TlsServer> = Partial<Record<`${Server}_TLS_${'CA' | 'CERT' | 'KEY'}`, string>>;

/**
 * The private CA and the client certificate for a server, from its `…_TLS_CA`, `…_TLS_CERT` and `…_TLS_KEY`.
 *
 * @returns undefined where none is set: whether there is TLS is then for the server's address to say
 */
export function tlsOptions<Server extends TlsServer>(
  environment: TlsVariables<Server>,
  server: Server,
): TlsOptions | undefined {
  const ca = environment[`${server}_TLS_CA`];
  const cert = environment[`${server}_TLS_CERT`];
  const key = environment[`${server}_TLS_KEY`];
  if (!ca && !cert) return undefined;
  return { ...(ca ? { ca } : {}), ...(cert ? { cert, key } : {}) };
}
