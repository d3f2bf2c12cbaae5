import { isSessionEnd } from './problem.js';
import type { components } from './schema.js';

type Tokens = components['schemas']['TokensResponseDto'];

/** What a client keeps of a log-in. */
export interface StoredSession {
  accessToken: string;
  refreshToken: string;
}

/** What a client keeps; `deviceToken` outlives the session, and keeps a lock of the account from this device. */
export interface StoredState {
  session?: StoredSession;
  deviceToken?: string;
}

/** Where a client keeps its tokens. Tabs that share a session share a store, which is why it is read each time. */
export interface TokenStore {
  /** Names what tabs share; missing where nobody else has the store. */
  readonly name?: string;
  load(): StoredState | Promise<StoredState>;
  save(state: StoredState): void | Promise<void>;
}

/** Keeps tokens in memory: the session ends with the page or the process. */
export function memoryStore(): TokenStore {
  let state: StoredState = {};
  return { load: () => state, save: (changed) => void (state = changed) };
}

/** Keeps tokens in `localStorage`, or in another storage: all tabs share the session. Scripts of the page can read it. */
export function browserStore(key = 'scalable-api', storage: Storage = localStorage): TokenStore {
  return {
    name: key,
    load: () => JSON.parse(storage.getItem(key) ?? '{}') as StoredState,
    save: (state) => storage.setItem(key, JSON.stringify(state)),
  };
}

/** Exchanges a refresh token. @throws ApiError where the session has ended */
export type Refresh = (refreshToken: string) => Promise<Tokens>;

/** The session of a client: its tokens, and their renewal, once for all requests that need it at a time. */
export class Session {
  private refreshing: Promise<string | undefined> | undefined;

  constructor(
    private readonly store: TokenStore,
    private readonly refresh: Refresh,
    private readonly onEnd: () => void,
  ) {}

  async accessToken(): Promise<string | undefined> {
    return (await this.store.load()).session?.accessToken;
  }

  async refreshToken(): Promise<string | undefined> {
    return (await this.store.load()).session?.refreshToken;
  }

  async deviceToken(): Promise<string | undefined> {
    return (await this.store.load()).deviceToken;
  }

  async begin({ accessToken, refreshToken, deviceToken }: Tokens): Promise<void> {
    await this.store.save({ session: { accessToken, refreshToken }, deviceToken });
  }

  /** Forgets the session; the device stays known. */
  async end(): Promise<void> {
    const { deviceToken } = await this.store.load();
    await this.store.save(deviceToken === undefined ? {} : { deviceToken });
  }

  /**
   * Renews the access token.
   *
   * @param refused the access token that the service has refused
   * @param signal ends the waiting, not the renewal, which others may wait for
   * @returns another one; undefined without a session
   * @throws the error of the refresh; the signal's reason
   */
  renew(refused: string | undefined, signal?: AbortSignal): Promise<string | undefined> {
    this.refreshing ??= this.exclusively(() => this.renewOnce(refused)).finally(() => (this.refreshing = undefined));
    return unlessAborted(this.refreshing, signal);
  }

  private async renewOnce(refused: string | undefined): Promise<string | undefined> {
    const { session } = await this.store.load();
    // Another request, or another tab, was first.
    if (!session || session.accessToken !== refused) return session?.accessToken;
    try {
      const tokens = await this.refresh(session.refreshToken);
      if (!(await this.isCurrent(session))) return await this.accessToken();
      await this.begin(tokens);
      return tokens.accessToken;
    } catch (error) {
      if (isSessionEnd(error) && (await this.isCurrent(session))) {
        await this.end();
        this.onEnd();
      }
      throw error;
    }
  }

  /** Whether nobody has logged out, or in as somebody else, meanwhile. */
  private async isCurrent({ refreshToken }: StoredSession): Promise<boolean> {
    return (await this.refreshToken()) === refreshToken;
  }

  /** Runs while no other tab does, where the browser has locks; elsewhere the service's grace for refresh tokens helps. */
  private async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const { name } = this.store;
    const locks = name === undefined ? undefined : (globalThis.navigator as Navigator | undefined)?.locks;
    return locks ? await locks.request(`${name}.refresh`, work) : await work();
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Whose access token this is; API keys and nobody have a name of their own. */
export function ownerOf(token: string | undefined): string {
  if (token === undefined) return '';
  const [, payload] = token.split('.');
  if (payload === undefined) return token;
  const { sub } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { sub: string };
  return sub;
}
