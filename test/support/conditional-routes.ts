import type { ApiClient, ApiResponse, PageOf } from './api-client.js';
import { newPushKeys } from './push.js';
import { upload, type UploadBody } from './files.js';
import type { TestService } from './service.js';
import { Api } from './openapi.js';
import { createTask, TASKS } from './tasks.js';
import { createAdmin, createApiKey, logIn, registerUser, registerVerifiedUser, type TestUser } from './users.js';
import { waitFor } from './wait-for.js';

type Headers = Record<string, string>;

/** A request to a resource that exists, and what is to be seen of the resource. */
export interface ConditionalRequest {
  send: (headers: Headers) => Promise<ApiResponse<unknown>>;
  /** The current tag of the resource; empty where it has none. */
  etag: () => Promise<string>;
}

const ME = '/api/v1/users/me';
const INBOX = '/api/v1/notifications';
const FILE = { filename: 'values.csv', contentType: 'text/csv', size: 4 };
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
);

/** Makes, for each operation of the document that takes conditions, a request to a resource of its own. */
export class ConditionalRoutes {
  private constructor(
    private readonly service: TestService,
    private readonly owner: TestUser,
    private readonly admin: TestUser,
    /** Of whom what needs a verified address is asked. */
    private readonly verified: TestUser,
    private readonly document: Api,
  ) {}

  static async of(service: TestService): Promise<ConditionalRoutes> {
    const [owner, admin, verified] = await Promise.all([
      registerUser(service),
      createAdmin(service),
      registerVerifiedUser(service),
    ]);
    for (const { api } of [owner, admin]) await waitFor('a profile', async () => (await api.get(ME)).status === 200);
    return new ConditionalRoutes(service, owner, admin, verified, await Api.of(service));
  }

  /** By method and path, as the document names them. */
  get requests(): Record<string, () => Promise<ConditionalRequest>> {
    const { owner, admin } = this;
    const { api } = owner;
    const profile = `/api/v1/users/${owner.id}`;
    const proof = { password: admin.password };
    const ofUser = (send: (headers: Headers) => Promise<ApiResponse<unknown>>) => () =>
      Promise.resolve({ send, etag: tagAt(admin.api, profile) });
    return {
      [`GET ${TASKS}/stats`]: () => Promise.resolve(this.read(`${TASKS}/stats`)),
      [`POST ${TASKS}/{id}/restore`]: () => this.deletedTask(),
      [`GET ${TASKS}/{id}/history`]: this.onTask((path, headers) => api.get(`${path}/history`, headers)),
      [`POST ${TASKS}/{id}/attachments`]: this.onTask((path, headers) =>
        api.post(`${path}/attachments`, FILE, headers),
      ),
      [`POST ${TASKS}/{id}/attachments/{attachmentId}/complete`]: () =>
        this.onAttachment('uploaded', (path, headers) => api.post(`${path}/complete`, undefined, headers)),
      [`GET ${TASKS}/{id}/attachments/{attachmentId}`]: () =>
        this.onAttachment('complete', (path, headers) => api.get(path, headers)),
      [`DELETE ${TASKS}/{id}/attachments/{attachmentId}`]: () =>
        this.onAttachment('complete', (path, headers) => api.delete(path, headers)),

      [`GET ${ME}`]: () => Promise.resolve(this.read(ME)),
      [`PATCH ${ME}`]: ofUser((headers) => api.patch(ME, { name: 'Ada' }, headers)),
      [`GET ${ME}/preferences`]: () => Promise.resolve(this.read(`${ME}/preferences`)),
      [`PUT ${ME}/preferences`]: ofUser((headers) => api.put(`${ME}/preferences`, PREFERENCES, headers)),
      [`POST ${ME}/avatar`]: ofUser((headers) =>
        api.post(`${ME}/avatar`, { contentType: 'image/png', size: PICTURE.length }, headers),
      ),
      [`POST ${ME}/avatar/complete`]: async () => {
        await this.uploadAvatar();
        return await ofUser((headers) => api.post(`${ME}/avatar/complete`, undefined, headers))();
      },
      [`DELETE ${ME}`]: () => this.ownDeletion(),
      ['GET /api/v1/users/{id}']: ofUser((headers) => admin.api.get(profile, headers)),
      ['PATCH /api/v1/users/{id}']: ofUser((headers) => admin.api.patch(profile, { name: 'Ada L.' }, headers)),
      ['PUT /api/v1/users/{id}/role']: ofUser((headers) =>
        admin.api.put(`${profile}/role`, { role: 'user', ...proof }, headers),
      ),
      ['POST /api/v1/users/{id}/suspend']: this.onOther((path, headers) =>
        admin.api.post(`${path}/suspend`, proof, headers),
      ),
      ['POST /api/v1/users/{id}/unsuspend']: this.onOther((path, headers) =>
        admin.api.post(`${path}/unsuspend`, {}, headers),
      ),
      ['DELETE /api/v1/users/{id}/sessions']: this.onOther((path, headers) =>
        admin.api.delete(`${path}/sessions`, headers),
      ),
      ['DELETE /api/v1/users/{id}/mfa']: this.onOther((path, headers) =>
        admin.api.send('DELETE', `${path}/mfa`, proof, headers),
      ),
      ['DELETE /api/v1/users/{id}']: this.onOther((path, headers) => admin.api.send('DELETE', path, proof, headers)),

      ['DELETE /api/v1/auth/sessions/{id}']: () => this.session(),
      ['DELETE /api/v1/auth/api-keys/{id}']: () => this.apiKey(),
      [`DELETE ${INBOX}/push/subscriptions/{id}`]: () => this.subscription(),
      [`GET ${INBOX}`]: () => Promise.resolve(this.read(INBOX)),
      [`GET ${INBOX}/unread-count`]: () => Promise.resolve(this.read(`${INBOX}/unread-count`)),
      [`GET ${INBOX}/{id}/deliveries`]: () => this.deliveries(),
      [`PATCH ${INBOX}/{id}`]: () => this.onNotification((path, headers) => api.patch(path, { read: true }, headers)),
      [`DELETE ${INBOX}/{id}`]: () => this.onNotification((path, headers) => api.delete(path, headers)),
      ...this.readsWithoutTag,
      ...this.usualRequests,
    };
  }

  /** Of every collection whose rows a `POST` creates and a `PATCH` changes. */
  private get usualRequests(): Record<string, () => Promise<ConditionalRequest>> {
    const requests = this.document.collections.map((collection) => this.requestsTo(collection));
    return Object.assign({}, ...requests) as Record<string, () => Promise<ConditionalRequest>>;
  }

  private requestsTo({ path, row, change }: Api['collections'][number]) {
    const { api } = this.owner;
    const on = (send: (place: string, headers: Headers) => Promise<ApiResponse<unknown>>) => async () => {
      const { body } = await api.post<{ id: string }>(path, row);
      const place = `${path}/${body.id}`;
      return { send: (headers: Headers) => send(place, headers), etag: tagAt(api, place) };
    };
    return {
      [`GET ${path}`]: () => Promise.resolve(this.read(path)),
      [`GET ${path}/{id}`]: on((place, headers) => api.get(place, headers)),
      [`PATCH ${path}/{id}`]: on((place, headers) => api.patch(place, change, headers)),
      [`DELETE ${path}/{id}`]: on((place, headers) => api.delete(place, headers)),
    };
  }

  /** Reads of what has no version. */
  private get readsWithoutTag(): Record<string, () => Promise<ConditionalRequest>> {
    const paths = [
      ...['/api/v1/users', `${ME}/export`, `${INBOX}/push/public-key`, '/.well-known/jwks.json'],
      ...['/api/v1/auth/sessions', '/api/v1/auth/api-keys', '/api/v1/auth/audit'],
      ...['/health', '/health/live', '/health/ready'],
    ];
    return Object.fromEntries(
      paths.map((path) => [
        `GET ${path}`,
        () => Promise.resolve(withoutTag((headers) => this.admin.api.get(path, headers))),
      ]),
    );
  }

  private async deliveries(): Promise<ConditionalRequest> {
    const { send } = await this.onNotification((path, headers) => this.owner.api.get(`${path}/deliveries`, headers));
    return withoutTag(send);
  }

  private read(path: string): ConditionalRequest {
    const { api } = this.owner;
    return { send: (headers) => api.get(path, headers), etag: tagAt(api, path) };
  }

  private async task(): Promise<string> {
    return `${TASKS}/${(await createTask(this.owner.api)).id}`;
  }

  private onTask(send: (path: string, headers: Headers) => Promise<ApiResponse<unknown>>) {
    return async (): Promise<ConditionalRequest> => {
      const path = await this.task();
      return { send: (headers) => send(path, headers), etag: tagAt(this.owner.api, path) };
    };
  }

  private async deletedTask(): Promise<ConditionalRequest> {
    const { api } = this.owner;
    const path = await this.task();
    const deletedTag = (await api.delete(path)).headers.get('etag') ?? '';
    return {
      send: (headers) => api.post(`${path}/restore`, undefined, headers),
      etag: async () => (await tagAt(api, path)()) || deletedTag,
    };
  }

  private async onAttachment(
    state: 'uploaded' | 'complete',
    send: (path: string, headers: Headers) => Promise<ApiResponse<unknown>>,
  ): Promise<ConditionalRequest> {
    const { api } = this.owner;
    const task = await this.task();
    const { body } = await api.post<UploadBody & { attachment: { id: string } }>(`${task}/attachments`, FILE);
    await this.upload(body, Buffer.from('a;1\n'));
    const path = `${task}/attachments/${body.attachment.id}`;
    if (state === 'complete') await api.post(`${path}/complete`);
    return { send: (headers) => send(path, headers), etag: tagAt(api, task) };
  }

  private async uploadAvatar(): Promise<void> {
    const { api } = this.owner;
    const file = { contentType: 'image/png', size: PICTURE.length };
    await this.upload((await api.post<UploadBody>(`${ME}/avatar`, file)).body, PICTURE);
  }

  /** The service says `PUBLIC_URL`, which leads elsewhere here. */
  private async upload(target: UploadBody, content: Buffer): Promise<void> {
    const { pathname, search } = new URL(target.uploadUrl);
    const status = await upload({ ...target, uploadUrl: `${this.service.url}${pathname}${search}` }, content);
    if (status !== 200) throw new Error(`an upload was answered ${status}`);
  }

  private onOther(send: (path: string, headers: Headers) => Promise<ApiResponse<unknown>>) {
    return async (): Promise<ConditionalRequest> => {
      const other = await registerUser(this.service);
      const path = `/api/v1/users/${other.id}`;
      await waitFor('a profile', async () => (await other.api.get(ME)).status === 200);
      return { send: (headers) => send(path, headers), etag: tagAt(this.admin.api, path) };
    };
  }

  private async ownDeletion(): Promise<ConditionalRequest> {
    const { api, password } = await registerUser(this.service);
    await waitFor('a profile', async () => (await api.get(ME)).status === 200);
    return { send: (headers) => api.send('DELETE', ME, { password }, headers), etag: tagAt(api, ME) };
  }

  private async session(): Promise<ConditionalRequest> {
    const { tokens } = await logIn(this.service, this.verified);
    const [, payload = ''] = tokens.accessToken.split('.');
    const { sid } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sid: string };
    return withoutTag((headers) => this.verified.api.delete(`/api/v1/auth/sessions/${sid}`, headers));
  }

  private async apiKey(): Promise<ConditionalRequest> {
    const { id } = await createApiKey(this.verified, ['tasks:read']);
    return withoutTag((headers) => this.verified.api.delete(`/api/v1/auth/api-keys/${id}`, headers));
  }

  private async subscription(): Promise<ConditionalRequest> {
    const { api } = this.verified;
    const subscription = { endpoint: 'https://push.example.org/1', keys: newPushKeys() };
    const { status, body } = await api.post<{ id: string }>(`${INBOX}/push/subscriptions`, subscription);
    if (status !== 201) throw new Error(`subscribing was answered ${status}: ${JSON.stringify(body)}`);
    return withoutTag((headers) => api.delete(`${INBOX}/push/subscriptions/${body.id}`, headers));
  }

  private async onNotification(
    send: (path: string, headers: Headers) => Promise<ApiResponse<unknown>>,
  ): Promise<ConditionalRequest> {
    const { api } = this.owner;
    const task = await createTask(api, { status: 'done' });
    const entry = await waitFor('a notification', async () => {
      const { body } = await api.get<PageOf<{ id: string; data: { taskId?: string } }>>(INBOX);
      return body.data.find(({ data }) => data.taskId === task.id);
    });
    const path = `${INBOX}/${entry.id}`;
    // There is no way to read one: its tag is in the answer to a change.
    const etag = async () => (await api.patch(path, { read: false })).headers.get('etag') ?? '';
    return { send: (headers) => send(path, headers), etag };
  }
}

const PREFERENCES = {
  channels: { email: true, push: true, sms: false },
  mutedEvents: [],
  quietHours: null,
  digest: 'off',
};

/** A resource without a tag: only `*` names its state. */
function withoutTag(send: ConditionalRequest['send']): ConditionalRequest {
  return { send, etag: () => Promise.resolve('') };
}

/** Reads the tag there; an empty text where there is nothing. */
function tagAt(api: ApiClient, path: string): () => Promise<string> {
  return async () => (await api.get(path)).headers.get('etag') ?? '';
}
