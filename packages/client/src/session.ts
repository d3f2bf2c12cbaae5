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
    /** Whether the error says that the session has ended, and not only that it couldn't be renewed now. */
    private readonly hasEnded: (error: unknown) => boolean,
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
   * @returns another one; undefined without a session
   * @throws the error of the refresh
   */
  renew(refused: string | undefined): Promise<string | undefined> {
    this.refreshing ??= exclusively(() => this.renewOnce(refused)).finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async renewOnce(refused: string | undefined): Promise<string | undefined> {
    const { session } = await this.store.load();
    // Another request, or another tab, was first.
    if (!session || session.accessToken !== refused) return session?.accessToken;
    try {
      const tokens = await this.refresh(session.refreshToken);
      await this.begin(tokens);
      return tokens.accessToken;
    } catch (error) {
      if (this.hasEnded(error)) {
        await this.end();
        this.onEnd();
      }
      throw error;
    }
  }
}

/** Runs while no other tab does, where the browser has locks; elsewhere the service's grace for refresh tokens helps. */
async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  return locks ? await locks.request('scalable-api.refresh', work) : await work();
}
