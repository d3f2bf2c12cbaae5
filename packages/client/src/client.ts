import createFetchClient, { type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch';
import type { HttpMethod, MediaType, PathsWithMethod, RequiredKeysOf } from 'openapi-typescript-helpers';
import { LiveConnection, type LiveOptions } from './live.js';
import { type ListPath, type Page, readPages, readRows, type RowOf } from './pages.js';
import { isApiError } from './problem.js';
import type { RetryOptions } from './retries.js';
import type { components, paths } from './schema.js';
import { memoryStore, Session, type TokenStore } from './session.js';
import { Transport } from './transport.js';
import { sendContent, type UploadOptions } from './upload.js';

type Schemas = components['schemas'];
export type Account = Schemas['AccountResponseDto'];
export type Task = Schemas['TaskResponseDto'];
export type Attachment = Schemas['AttachmentResponseDto'];

export interface ClientOptions {
  /** Where the service is, without `/api/v1`: `https://api.example.org`. Default: where the page came from. */
  baseUrl?: string;
  /** Where tokens are kept. Default: in memory. */
  store?: TokenStore;
  /** An API key in place of a session. */
  apiKey?: string;
  /** Called once the session has ended by itself: it expired, was ended elsewhere, or its refresh token was stolen. */
  onSessionEnd?: () => void;
  retries?: RetryOptions;
  /** How long to wait for the beginning of an answer, in milliseconds. Default 30,000. */
  timeoutMs?: number;
  /** In place of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

type DataOf<Operation, Init> =
  Operation extends Record<string | number, unknown>
    ? NonNullable<FetchResponse<Operation, Init, MediaType>['data']>
    : never;

/** What goes with a path may be left out where nothing of it is required. */
type InitParam<Init> = RequiredKeysOf<Init> extends never ? [Init?] : [Init];

/** Sends a request of a method; resolves to the answer's content. */
type Send<Method extends HttpMethod> = <
  Path extends PathsWithMethod<paths, Method>,
  Init extends MaybeOptionalInit<paths[Path], Method>,
>(
  path: Path,
  ...init: InitParam<Init>
) => Promise<DataOf<paths[Path][Method & keyof paths[Path]], Init>>;

type QueryOf<Path extends ListPath> = paths[Path]['get'] extends { parameters: { query?: infer Query } }
  ? Omit<NonNullable<Query>, 'cursor'>
  : never;

/** A client of the service, for one session or API key. All that it sends throws as `Transport.send` does. */
export class Client {
  readonly get: Send<'get'>;
  readonly post: Send<'post'>;
  readonly put: Send<'put'>;
  readonly patch: Send<'patch'>;
  readonly delete: Send<'delete'>;
  private readonly session: Session;
  private readonly transport: Transport;
  private readonly baseUrl: string;

  constructor(private readonly options: ClientOptions = {}) {
    const fetch = options.fetch ?? globalThis.fetch;
    this.baseUrl = (options.baseUrl ?? globalThis.location.origin).replace(/\/$/, '');
    this.session = new Session(
      options.store ?? memoryStore(),
      (refreshToken) => this.refresh(refreshToken),
      () => {
        this.transport.versions.clear();
        options.onSessionEnd?.();
      },
    );
    const { retries, timeoutMs = 30_000 } = options;
    this.transport = new Transport(this.session, { fetch, retries, timeoutMs });
    const client = createFetchClient<paths>({
      baseUrl: this.baseUrl,
      fetch: (request) => this.transport.send(request),
      headers: options.apiKey === undefined ? {} : { Authorization: `Bearer ${options.apiKey}` },
      // `?status=todo,done`: any of its values.
      querySerializer: { array: { style: 'form', explode: false } },
    });
    const dataOf = <Method extends HttpMethod>(send: unknown) =>
      (async (...call: unknown[]) =>
        (await (send as (...call: unknown[]) => Promise<{ data?: unknown }>)(...call)).data) as Send<Method>;
    this.get = dataOf(client.GET);
    this.post = dataOf(client.POST);
    this.put = dataOf(client.PUT);
    this.patch = dataOf(client.PATCH);
    this.delete = dataOf(client.DELETE);
  }

  /** The rows of a list, page after page, each read when it is wanted: `for await (const task of client.list(…))`. */
  list<Path extends ListPath>(path: Path, query?: QueryOf<Path>): AsyncGenerator<RowOf<Path>> {
    return readRows(this.pages(path, query));
  }

  /** The pages of a list. */
  pages<Path extends ListPath>(path: Path, query?: QueryOf<Path>): AsyncGenerator<Page<RowOf<Path>>> {
    const read = this.get as (path: string, init: object) => Promise<Page<RowOf<Path>>>;
    return readPages((cursor) => read(path, { params: { query: { ...query, ...(cursor && { cursor }) } } }));
  }

  /** Makes an account, and begins its first session. */
  async register(account: Schemas['RegisterDto']): Promise<Account> {
    return await this.begin(await this.post('/api/v1/auth/register', { body: account }));
  }

  /** Begins a session. @throws ApiError `MFA_REQUIRED` with what `completeLogin` takes, where there is a second factor */
  async login({ email, password }: Pick<Schemas['LoginDto'], 'email' | 'password'>): Promise<Account> {
    const deviceToken = await this.session.deviceToken();
    const body = { email, password, ...(deviceToken !== undefined && { deviceToken }) };
    return await this.begin(await this.post('/api/v1/auth/login', { body }));
  }

  /** The second step of a log-in. */
  async completeLogin(step: Schemas['LoginMfaDto']): Promise<Account> {
    return await this.begin(await this.post('/api/v1/auth/login/mfa', { body: step }));
  }

  /** Whether there is a session; the service may have ended it meanwhile. */
  async isLoggedIn(): Promise<boolean> {
    return (await this.session.accessToken()) !== undefined;
  }

  /** Ends the session, here and in the service. Here also where the service can't be reached, whose error is thrown. */
  async logout(): Promise<void> {
    try {
      if (await this.isLoggedIn()) await this.post('/api/v1/auth/logout');
    } catch (error) {
      // It has ended already.
      if (!isApiError(error, 'UNAUTHENTICATED', 'REFRESH_TOKEN_REUSED')) throw error;
    } finally {
      await this.session.end();
      this.transport.versions.clear();
    }
  }

  /** Notifications as they happen, until it is closed. @throws TypeError with an API key, which `/ws` doesn't take */
  live(options: LiveOptions): LiveConnection {
    if (this.options.apiKey !== undefined)
      throw new TypeError('Live notifications need a session: /ws takes no API key.');
    const token = (refused: string | undefined) =>
      refused === undefined ? this.session.accessToken() : this.session.renew(refused);
    const newest = async () => {
      const { data } = await this.get('/api/v1/notifications', { params: { query: { limit: 1 } } });
      return data[0]?.createdAt;
    };
    return new LiveConnection({ url: this.baseUrl, token, newest }, options);
  }

  /** Adds a file to a task: announces it, sends its content to the store, and completes it. */
  async uploadAttachment(taskId: string, file: Blob, filename: string, options?: UploadOptions): Promise<Attachment> {
    const path = { id: taskId };
    const upload = await this.post('/api/v1/tasks/{id}/attachments', {
      params: { path },
      body: { filename, contentType: file.type as Schemas['CreateAttachmentDto']['contentType'], size: file.size },
    });
    await sendContent(upload, file, options);
    const completed = await this.post('/api/v1/tasks/{id}/attachments/{attachmentId}/complete', {
      params: { path: { ...path, attachmentId: upload.attachment.id } },
    });
    return completed.attachment;
  }

  /** Replaces the user's picture. @returns where it is */
  async uploadAvatar(file: Blob, options?: UploadOptions): Promise<string> {
    const upload = await this.post('/api/v1/users/me/avatar', {
      body: { contentType: file.type as Schemas['CreateAvatarDto']['contentType'], size: file.size },
    });
    await sendContent(upload, file, options);
    return (await this.post('/api/v1/users/me/avatar/complete')).avatarUrl;
  }

  private async begin(tokens: Schemas['TokensResponseDto']): Promise<Account> {
    this.transport.versions.clear();
    await this.session.begin(tokens);
    return tokens.user;
  }

  private async refresh(refreshToken: string): Promise<Schemas['TokensResponseDto']> {
    return await this.post('/api/v1/auth/refresh', { body: { refreshToken } });
  }
}
