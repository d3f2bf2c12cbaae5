import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a request gave; `body` is parsed where it is JSON, undefined where there is none. */
export interface ApiResponse<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

/** The part of a problem document that tests look at. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  errors?: { field: string; message: string }[];
}

export interface PageOf<T> {
  data: T[];
  page: { limit: number; hasMore: boolean; nextCursor: string | null };
}

type HeadersInput = Record<string, string>;

/** Whatever has an address; read at each request, since a restart changes it. */
export interface Addressable {
  readonly url: string;
}

/** A thin client: JSON in and out, with an access token where it was given one. Errors are answers, not exceptions. */
export class ApiClient {
  constructor(
    readonly service: Addressable,
    public accessToken?: string,
  ) {}

  /** The same credentials at another instance. */
  at(service: Addressable): ApiClient {
    return new ApiClient(service, this.accessToken);
  }

  get<T>(path: string, headers?: HeadersInput): Promise<ApiResponse<T>> {
    return this.send('GET', path, undefined, headers);
  }

  post<T>(path: string, body?: unknown, headers?: HeadersInput): Promise<ApiResponse<T>> {
    return this.send('POST', path, body, headers);
  }

  put<T>(path: string, body?: unknown, headers?: HeadersInput): Promise<ApiResponse<T>> {
    return this.send('PUT', path, body, headers);
  }

  patch<T>(path: string, body?: unknown, headers?: HeadersInput): Promise<ApiResponse<T>> {
    return this.send('PATCH', path, body, headers);
  }

  delete<T>(path: string, headers?: HeadersInput): Promise<ApiResponse<T>> {
    return this.send('DELETE', path, undefined, headers);
  }

  /** @param body sent as JSON; a string or bytes go out as they are */
  async send<T>(method: string, path: string, body?: unknown, headers: HeadersInput = {}): Promise<ApiResponse<T>> {
    const response = await fetch(new URL(path, this.service.url), {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(this.accessToken === undefined ? {} : { Authorization: `Bearer ${this.accessToken}` }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
    return toResponse(response.status, response.headers, await response.text());
  }
}

/**
 * A request whose path goes out byte for byte: `fetch` would mend what these tests are about.
 */
export async function sendRaw<T>(
  service: Addressable,
  method: string,
  path: string,
  headers: HeadersInput = {},
): Promise<ApiResponse<T>> {
  const { hostname, port } = new URL(service.url);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request({ hostname, port, method, path, headers, agent: false }, resolve).on('error', reject).end();
  });
  const received = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return toResponse(response.statusCode ?? 0, new Headers(received), await text(response));
}

function toResponse<T>(status: number, headers: Headers, content: string): ApiResponse<T> {
  const isJson = /json/.test(headers.get('content-type') ?? '');
  const body: unknown = isJson && content !== '' ? JSON.parse(content) : content === '' ? undefined : content;
  return { status, headers, body: body as T };
}
