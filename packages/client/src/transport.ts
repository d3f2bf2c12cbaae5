import { IDEMPOTENT_POSTS } from './idempotent-posts.js';
import { ApiError, ConflictError, NetworkError, type ProblemOf, toApiError, withoutQuery } from './problem.js';
import { pauseAfter, pauseBefore, type RetryOptions, sleep, withDefaults } from './retries.js';
import { ownerOf, type Session } from './session.js';
import { type SeenVersion, SeenVersions } from './versions.js';

/** Of the codes of a 401, those after which a new access token helps. */
const ANSWERED_BY_REFRESH = ['TOKEN_EXPIRED', 'UNAUTHENTICATED'];
const WRITES_OF_A_VERSION = ['PATCH', 'PUT', 'DELETE'];
/** The service has not begun with these requests. */
const NOT_CARRIED_OUT = ['RATE_LIMITED', 'OVERLOADED'];
/** Requests that begin a session, or that need none: a token that has expired would be refused there. */
const WITHOUT_SESSION = /\/api\/v1\/auth\/(register|login|login\/mfa|refresh|password\/(forgot|reset))$/;
const REFRESH = /\/api\/v1\/auth\/refresh$/;
/** The service answers a repeated refresh with the same tokens for 10 s. */
const REFRESH_GRACE_MS = 9000;
const REFRESH_TIMEOUT_MS = 4000;
const REPEATABLE_POSTS = new RegExp(`(${IDEMPOTENT_POSTS.map((path) => path.replace(/{\w+}/g, '[^/]+')).join('|')})$`);
/** The collection and the id in an address: parts of what is there share its version. */
const WHOLE = /^.*\/api\/v1\/[^/?]+\/([^/?]+)/;
/** How the JSON of a list begins. */
const LIST = /^\{"data":\[/;
const TIME = /^\d{4}-\d\d-\d\d[Tt ]/;

/** A list, as far as it says which versions it shows. */
interface Rows {
  data: { id?: unknown; version?: unknown }[];
}

interface Call {
  method: string;
  url: string;
  headers: Headers;
  body: ArrayBuffer | undefined;
  signal: AbortSignal;
  /** The access token to begin with, and whose it is. */
  token: string | undefined;
  owner: string;
  /** The resource whose version is read or written, for this owner. */
  resource: string;
  /** Its address. */
  address: string;
  seen: SeenVersion | undefined;
  /** Whether a request that may have been carried out can be sent again without doing more than once. */
  isRepeatable: boolean;
  timeoutMs: number;
  /** When it must not be sent again any more, on the clock of `Date.now`. */
  until: number;
}

export interface TransportOptions {
  fetch: typeof globalThis.fetch;
  retries?: RetryOptions | undefined;
  /** How long to wait for the beginning of an answer, in milliseconds. */
  timeoutMs: number;
}

/**
 * Sends requests as the service wants them: with the session's token, with a key where a repetition must not create twice,
 * with the tag of what was seen; and again, where that is safe.
 */
export class Transport {
  readonly versions = new SeenVersions();
  private readonly retries: Required<RetryOptions>;

  constructor(
    private readonly session: Session,
    private readonly options: TransportOptions,
  ) {
    this.retries = withDefaults(options.retries);
  }

  /**
   * @returns a successful answer
   * @throws ApiError, of which ConflictError where a write would undo another one; NetworkError; the reason of an abort
   */
  async send(request: Request): Promise<Response> {
    const call = await this.prepare(request);
    let mayBeDone = false;
    for (let attempt = 1; ; attempt += 1) {
      let response: Response;
      try {
        response = await this.sendWithToken(call);
      } catch (error) {
        if (error instanceof ApiError || call.signal.aborted) throw error;
        const pause = pauseBefore(attempt, this.retries);
        if (!call.isRepeatable || attempt >= this.retries.attempts || Date.now() + pause > call.until) {
          throw new NetworkError(`${call.method} ${withoutQuery(call.url)}: no answer`, { cause: error });
        }
        mayBeDone = true;
        await sleep(pause, call.signal);
        continue;
      }
      if (response.ok || response.status === 304) return await this.remember(call, response);
      const error = await toApiError(response);
      const isUntouched = NOT_CARRIED_OUT.includes(error.code);
      const pause =
        call.isRepeatable || isUntouched ? pauseAfter(response, error.code, attempt, this.retries) : undefined;
      if (pause === undefined || Date.now() + pause > call.until) return await this.settle(call, error, mayBeDone);
      mayBeDone ||= !isUntouched;
      await sleep(pause, call.signal);
    }
  }

  private async prepare(request: Request): Promise<Call> {
    const { method, url, signal } = request;
    const headers = new Headers(request.headers);
    const token = WITHOUT_SESSION.test(url) ? undefined : await this.session.accessToken();
    const owner = headers.get('Authorization') ?? ownerOf(token);
    const address = SeenVersions.resourceOf(method, url);
    const resource = `${owner} ${address}`;
    const seen = this.versions.get(resource);
    const isRefresh = REFRESH.test(url);
    if (method === 'POST' && REPEATABLE_POSTS.test(url) && !headers.has('Idempotency-Key')) {
      headers.set('Idempotency-Key', crypto.randomUUID());
    }
    if (WRITES_OF_A_VERSION.includes(method) && seen && !headers.has('If-Match')) headers.set('If-Match', seen.etag);
    if (method === 'GET' && seen?.content !== undefined && !headers.has('If-None-Match')) {
      headers.set('If-None-Match', seen.etag);
    }
    const isRepeatable =
      method === 'GET' ||
      method === 'DELETE' ||
      isRefresh ||
      headers.has(method === 'POST' ? 'Idempotency-Key' : 'If-Match');
    // Not every browser has Request.body.
    const content = method === 'GET' ? undefined : await request.arrayBuffer();
    const body = content?.byteLength ? content : undefined;
    const timeoutMs = isRefresh ? Math.min(REFRESH_TIMEOUT_MS, this.options.timeoutMs) : this.options.timeoutMs;
    const until = isRefresh ? Date.now() + REFRESH_GRACE_MS : Infinity;
    return {
      method,
      url,
      headers,
      body,
      signal,
      token,
      owner,
      resource,
      address,
      seen,
      isRepeatable,
      timeoutMs,
      until,
    };
  }

  private async sendWithToken(call: Call): Promise<Response> {
    const response = await this.sendOnce(call);
    if (response.status !== 401 || call.token === undefined || call.headers.has('Authorization')) return response;
    const { code } = await toApiError(response.clone());
    if (!ANSWERED_BY_REFRESH.includes(code)) return response;
    const renewed = await this.session.renew(call.token, call.signal);
    // Somebody else has logged in meanwhile: this request isn't theirs.
    if (renewed === undefined || ownerOf(renewed) !== call.owner) return response;
    call.token = renewed;
    return await this.sendOnce(call);
  }

  /** @throws what `fetch` throws; an error where no answer begins in time */
  private async sendOnce({ method, url, headers, body, signal, token, timeoutMs }: Call): Promise<Response> {
    const sent = new Headers(headers);
    if (token !== undefined && !sent.has('Authorization')) sent.set('Authorization', `Bearer ${token}`);
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    // Through a constant: as a method of an object, a browser's would be refused.
    const { fetch } = this.options;
    try {
      const both = AbortSignal.any([signal, limit.signal]);
      return await fetch(url, { method, headers: sent, signal: both, ...(body && { body }) });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Keeps the tag of what was read or written. @returns the answer, from memory where it is the one that was seen */
  private async remember({ method, url, owner, address, resource, seen }: Call, response: Response): Promise<Response> {
    if (response.status === 304) {
      const headers = new Headers(response.headers);
      headers.set('Content-Type', 'application/json');
      headers.delete('Content-Length');
      return new Response(seen?.content ?? null, { status: seen?.content === undefined ? 304 : 200, headers });
    }
    if (method !== 'GET') this.forgetParts(owner, url);
    const text = isJson(response) ? await response.clone().text() : '';
    if (method === 'GET' && LIST.test(text)) this.rememberRows(owner, url, JSON.parse(text) as Rows);
    const etag = response.headers.get('ETag');
    if (etag === null) return response;
    const location = response.headers.get('Location');
    const isCreation = response.status === 201 && location !== null && address === url;
    // What a deletion or an action answers has the tag, not the resource.
    const isWhole = (['GET', 'PATCH', 'PUT'].includes(method) && address === url) || isCreation;
    const content = isWhole ? text : '';
    this.versions.put(isCreation ? `${owner} ${new URL(location, url).href}` : resource, { etag, content });
    return response;
  }

  /** Who changes a row of a list has seen it there: its tag is its version. */
  private rememberRows(owner: string, url: string, { data }: Rows): void {
    for (const row of data) {
      if (typeof row.id !== 'string' || typeof row.version !== 'number') continue;
      const resource = `${owner} ${withoutQuery(url)}/${row.id}`;
      const etag = `"${row.version}"`;
      // What was read by itself says more.
      if (this.versions.get(resource)?.etag !== etag) this.versions.put(resource, { etag, row: JSON.stringify(row) });
    }
  }

  private forgetParts(owner: string, url: string): void {
    const [whole, id] = WHOLE.exec(url) ?? [];
    // A bulk operation is about any of its collection.
    if (whole !== undefined)
      this.versions.forgetBelow(`${owner} ${id === 'bulk' ? whole.replace(/bulk$/, '') : whole}`);
  }

  /**
   * What a final error means for the caller. A write whose answer was lost may have been carried out: then the repetition
   * finds it done, which is no error.
   *
   * @param mayBeDone whether an earlier attempt may have been carried out
   */
  private async settle(call: Call, error: ApiError, mayBeDone: boolean): Promise<Response> {
    if (mayBeDone && call.method === 'DELETE' && error.status === 404) return new Response(null, { status: 204 });
    if (error.code !== 'VERSION_MISMATCH' || !WRITES_OF_A_VERSION.includes(call.method)) throw error;
    const current = await this.read(call);
    const mine: unknown = call.body && JSON.parse(new TextDecoder().decode(call.body));
    if (mayBeDone && current && agrees(await current.clone().json(), mine)) return current;
    throw new ConflictError(
      error.problem as ProblemOf<'VERSION_MISMATCH'>,
      error.response,
      mine,
      parsed(call.seen?.content ?? call.seen?.row),
      current && (await current.json()),
    );
  }

  /** The resource as it is now; undefined where it can't be read. */
  private async read({ resource, address, headers, signal }: Call): Promise<Response | undefined> {
    this.versions.forget(resource);
    const authorization = headers.get('Authorization');
    try {
      return await this.send(
        new Request(address, { signal, headers: authorization === null ? {} : { Authorization: authorization } }),
      );
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined;
    }
  }
}

const parsed = (json: string | undefined): unknown => (json === undefined ? undefined : JSON.parse(json));

const isJson = ({ headers }: Response) => /\bjson\b/.test(headers.get('Content-Type') ?? '');

/** Whether the resource says what was to be written, as far as it says anything of that: a password it doesn't. */
function agrees(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  const values = whole as Record<string, unknown>;
  return Object.entries(part).every(
    ([name, value]) => !(name in values) || canonical(values[name]) === canonical(value),
  );
}

/** A value as the service would store it: times in UTC, texts trimmed and in NFC. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each !== 'string') return each;
    return TIME.test(each) && !Number.isNaN(Date.parse(each)) ? Date.parse(each) : each.trim().normalize('NFC');
  });
}
