import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigurationError } from '../read-variables.js';
import { type JsonAnswer, requestJson } from './request-json.js';
import type { Patience, SecretSource } from './secret-source.js';
import { toSecrets } from './to-secrets.js';

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Of OpenSSL and Node: the certificate's issuer is unknown, or it is for another name. */
const UNTRUSTED = /CERT|ISSUER|SIGNATURE/;

interface Call {
  method: 'GET' | 'POST';
  path: string;
  token?: string;
  body?: unknown;
}

/**
 * The newest version of a secret in HashiCorp Vault's KV version 2, by `VAULT_TOKEN` or Vault's Kubernetes login
 * (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version).
 *
 * @throws ConfigurationError
 */
export async function readVaultSecret(source: SecretSource, patience: Patience): Promise<Record<string, string>> {
  const vault = new Vault(source, patience);
  const token = source.VAULT_ROLE ? await vault.logIn(source.VAULT_ROLE) : source.VAULT_TOKEN;
  const { status, body } = await vault.call({ method: 'GET', path: source.VAULT_SECRET_PATH, token });
  if (status === 403) {
    throw new ConfigurationError(
      `Vault refuses ${source.VAULT_ROLE ? 'VAULT_ROLE' : 'VAULT_TOKEN'}: it is wrong or expired, or no policy lets it read VAULT_SECRET_PATH.`,
    );
  }
  if (status === 404) {
    throw new ConfigurationError(
      'VAULT_SECRET_PATH leads to nothing in Vault: check the mount, the name and VAULT_NAMESPACE.',
    );
  }
  if (status !== 200) throw new ConfigurationError(`Vault answers ${status} to VAULT_SECRET_PATH: check VAULT_ADDR.`);
  return toSecrets(member(member(body, 'data'), 'data'), 'VAULT_SECRET_PATH');
}

class Vault {
  private readonly ca?: string;

  constructor(
    private readonly source: SecretSource,
    private readonly patience: Patience,
  ) {
    if (source.VAULT_CACERT) this.ca = readCertificates(source.VAULT_CACERT);
  }

  /** @returns a token for the role, got with the pod's own (https://developer.hashicorp.com/vault/api-docs/auth/kubernetes#login) */
  async logIn(role: string): Promise<string> {
    const jwt =
      this.source.VAULT_JWT ??
      read(
        SERVICE_ACCOUNT_TOKEN,
        "VAULT_JWT is missing, and so is the file with the service account's token: set VAULT_JWT_FILE, or VAULT_TOKEN.",
      );
    const path = `${this.source.VAULT_AUTH_PATH}/login`;
    const { status, body } = await this.call({ method: 'POST', path, body: { role, jwt } });
    const token = member(member(body, 'auth'), 'client_token');
    if (status === 200 && typeof token === 'string') return token;
    throw new ConfigurationError(
      `Vault refuses the login (${status}): check VAULT_ROLE, VAULT_AUTH_PATH, and that the role is bound to this service account.`,
    );
  }

  /** Asks again where another attempt may help: no answer, overloaded (429), not caught up (412), sealed or failing. */
  async call(call: Call): Promise<JsonAnswer> {
    const { attempts, pauseMs } = this.patience;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.attempt(call, new URL(`/v1/${encodeURI(call.path)}`, this.source.VAULT_ADDR));
        if (![412, 429].includes(answer.status) && answer.status < 500) return answer;
        if (attempt === attempts) {
          throw new ConfigurationError(`Vault answers ${answer.status}: check VAULT_ADDR, and that Vault is unsealed.`);
        }
      } catch (error) {
        if (error instanceof ConfigurationError) throw error;
        if (attempt === attempts) throw this.unreachable(error as NodeJS.ErrnoException);
      }
      await delay(pauseMs * attempt);
    }
  }

  /** A standby may send us on to the active server, once (https://developer.hashicorp.com/vault/docs/concepts/ha). */
  private async attempt({ method, token, body }: Call, url: URL, redirected = false): Promise<JsonAnswer> {
    const { VAULT_NAMESPACE } = this.source;
    const headers = {
      'x-vault-request': 'true',
      ...(token ? { 'x-vault-token': token } : {}),
      ...(VAULT_NAMESPACE ? { 'x-vault-namespace': VAULT_NAMESPACE } : {}),
    };
    const answer = await requestJson({ url, method, headers, body, ca: this.ca, timeoutMs: this.patience.timeoutMs });
    if (answer.status !== 307 || !answer.location || redirected) return answer;
    const active = new URL(answer.location, url);
    if (url.protocol === 'https:' && active.protocol !== 'https:') return answer; // the token would travel in clear
    return this.attempt({ method, token, body, path: '' }, active, true);
  }

  private unreachable(error: NodeJS.ErrnoException): ConfigurationError {
    if (error.name === 'TimeoutError') {
      return new ConfigurationError(
        `Vault doesn't answer within ${this.patience.timeoutMs / 1000} s: check VAULT_ADDR, and that Vault runs.`,
      );
    }
    const reason = error.code ?? error.name;
    if (UNTRUSTED.test(reason)) {
      return new ConfigurationError(
        `Vault's certificate isn't trusted (${reason}): check VAULT_CACERT and VAULT_ADDR.`,
      );
    }
    return new ConfigurationError(`Vault can't be reached (${reason}): check VAULT_ADDR, and that Vault runs.`);
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** As Vault's own clients do, `VAULT_CACERT` is a path; `VAULT_CACERT_FILE` has been read already. */
function readCertificates(value: string): string {
  if (value.includes('-----BEGIN')) return value;
  return read(value, "VAULT_CACERT names a file that can't be read: check its path and permissions.");
}

function read(path: string, problem: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new ConfigurationError(problem);
  }
}
