import { ApiError, ConflictError, NetworkError, type ProblemOf, toApiError } from './problem.js';
import { pauseAfter, pauseBefore, type RetryOptions, sleep, withDefaults } from './retries.js';
import type { Session } from './session.js';
import { type SeenVersion, SeenVersions } from './versions.js';

/** Of the codes of a 401, those that another access token mends. */
const MENDED_BY_REFRESH = ['TOKEN_EXPIRED', 'UNAUTHENTICATED'];
const WRITES_OF_A_VERSION = ['PATCH', 'PUT', 'DELETE'];
/** Its requests take secrets, and their answers aren't kept for repetition. */
const AUTH = /\/api\/v1\/auth\//;
/** Requests that begin a session, or that need none: a token that has expired would be refused there. */
const WITHOUT_SESSION = /\/api\/v1\/auth\/(register|login|login\/mfa|refresh|password\/(forgot|reset))$/;

interface Call {
  method: string;
  url: string;
  headers: Headers;
  body: ArrayBuffer | undefined;
  signal: AbortSignal;
  /** The resource whose version is read or written. */
  resource: string;
  seen: SeenVersion | undefined;
  isRepeatable: boolean;
}

/**
 * Sends requests as the service wants them: with the session's token, with a key where a repetition must not create twice,
 * with the tag of what was seen; and again, where that is safe.
 */
export class Transport {
  readonly versions = new SeenVersions();
  private readonly retries: Required<RetryOptions>;

  constructor(
    private readonly fetch: typeof globalThis.fetch,
    private readonly session: Session,
    retries?: RetryOptions,
  ) {
    this.retries = withDefaults(retries);
  }

  /**
   * @returns a successful answer
   * @throws ApiError, of which ConflictError where a write would undo another one; NetworkError; the reason of an abort
   */
  async send(request: Request): Promise<Response> {
    const call = await this.prepare(request);
    let lost = false;
    for (let attempt = 1; ; attempt += 1) {
      let response: Response;
      try {
        response = await this.sendWithToken(call);
      } catch (error) {
        if (error instanceof ApiError || call.signal.aborted) throw error;
        if (!call.isRepeatable || attempt >= this.retries.attempts) {
          throw new NetworkError(`${call.method} ${call.url}: no answer`, { cause: error });
        }
        lost = true;
        await sleep(pauseBefore(attempt, this.retries), call.signal);
        continue;
      }
      if (response.ok || response.status === 304) return await this.remember(call, response);
      const error = await toApiError(response);
      const pause = call.isRepeatable ? pauseAfter(response, error.code, attempt, this.retries) : undefined;
      if (pause === undefined) return await this.settle(call, error, lost || attempt > 1);
      if (response.status >= 500) lost = true;
      await sleep(pause, call.signal);
    }
  }

  private async prepare(request: Request): Promise<Call> {
    const { method, url, signal } = request;
    const headers = new Headers(request.headers);
    const resource = SeenVersions.resourceOf(method, url);
    const seen = this.versions.get(resource);
    const isAuth = AUTH.test(url);
    if (method === 'POST' && !isAuth && !headers.has('Idempotency-Key')) {
      headers.set('Idempotency-Key', crypto.randomUUID());
    }
    if (WRITES_OF_A_VERSION.includes(method) && seen && !headers.has('If-Match')) headers.set('If-Match', seen.etag);
    if (method === 'GET' && seen?.content !== undefined && !headers.has('If-None-Match')) {
      headers.set('If-None-Match', seen.etag);
    }
    const body = request.body === null ? undefined : await request.arrayBuffer();
    return { method, url, headers, body, signal, resource, seen, isRepeatable: method !== 'POST' || !isAuth };
  }

  private async sendWithToken(call: Call): Promise<Response> {
    const token = WITHOUT_SESSION.test(call.url) ? undefined : await this.session.accessToken();
    const response = await this.sendOnce(call, token);
    if (response.status !== 401 || token === undefined || call.headers.has('Authorization')) return response;
    const { code } = await toApiError(response.clone());
    if (!MENDED_BY_REFRESH.includes(code)) return response;
    const renewed = await this.session.renew(token);
    return renewed === undefined ? response : await this.sendOnce(call, renewed);
  }

  private sendOnce({ method, url, headers, body, signal }: Call, token: string | undefined): Promise<Response> {
    const sent = new Headers(headers);
    if (token !== undefined && !sent.has('Authorization')) sent.set('Authorization', `Bearer ${token}`);
    // Through a constant: as a method of this object, a browser's would be refused.
    const { fetch } = this;
    return fetch(url, { method, headers: sent, signal, ...(body === undefined ? {} : { body }) });
  }

  /** Keeps the tag of what was read or written. @returns the answer, from memory where it is the one that was seen */
  private async remember({ method, url, resource, seen }: Call, response: Response): Promise<Response> {
    if (response.status === 304) {
      const headers = new Headers(response.headers);
      headers.set('Content-Type', 'application/json');
      headers.delete('Content-Length');
      return new Response(seen?.content ?? null, { status: seen?.content === undefined ? 304 : 200, headers });
    }
    const etag = response.headers.get('ETag');
    const location = response.headers.get('Location');
    const isCreation = response.status === 201 && location !== null && resource === url;
    const tagged = isCreation ? new URL(location, url).href : resource;
    if (etag !== null) {
      // What a deletion or an action answers has the tag, not the resource.
      const isWhole = (['GET', 'PATCH', 'PUT'].includes(method) && resource === url) || isCreation;
      const content = isWhole && isJson(response) ? await response.clone().text() : undefined;
      this.versions.put(tagged, { etag, ...(content === undefined ? {} : { content }) });
    } else if (method !== 'GET') {
      this.versions.forget(resource);
    }
    return response;
  }

  /**
   * What a final error means for the caller. A write whose answer was lost may have been carried out: then the repetition
   * finds it done, which is no error.
   *
   * @param isRepetition whether an earlier attempt may have been carried out
   */
  private async settle(call: Call, error: ApiError, isRepetition: boolean): Promise<Response> {
    if (isRepetition && call.method === 'DELETE' && error.status === 404) return new Response(null, { status: 204 });
    if (error.code !== 'VERSION_MISMATCH' || !WRITES_OF_A_VERSION.includes(call.method)) throw error;
    const current = await this.read(call);
    const mine: unknown = call.body && JSON.parse(new TextDecoder().decode(call.body));
    if (isRepetition && current && contains(await current.clone().json(), mine)) return current;
    throw new ConflictError(
      error.problem as ProblemOf<'VERSION_MISMATCH'>,
      error.response,
      mine,
      call.seen?.content === undefined ? undefined : JSON.parse(call.seen.content),
      current && (await current.json()),
    );
  }

  /** The resource as it is now; undefined where it can't be read. */
  private async read({ resource, signal }: Call): Promise<Response | undefined> {
    this.versions.forget(resource);
    try {
      return await this.send(new Request(resource, { signal }));
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  }
}

const isJson = ({ headers }: Response) => /\bjson\b/.test(headers.get('Content-Type') ?? '');

/** Whether each field of `part` has the same value in `whole`. */
function contains(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  const values = whole as Record<string, unknown>;
  return Object.entries(part).every(([name, value]) => JSON.stringify(values[name]) === JSON.stringify(value));
}
