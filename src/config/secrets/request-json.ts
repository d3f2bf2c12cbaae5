import * as http from 'node:http';
import * as https from 'node:https';
import { text } from 'node:stream/consumers';

export interface JsonRequest {
  url: URL;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** PEM of the certificates to trust instead of the usual ones. */
  ca?: string;
  /** For all of it, from connecting to the last byte. */
  timeoutMs: number;
}

export interface JsonAnswer {
  status: number;
  location?: string;
  /** undefined for what isn't JSON. */
  body: unknown;
}

/**
 * One HTTP request. Not `fetch`, which can't be told whom to trust.
 *
 * @throws Error with a `code` when there is no answer, or a `TimeoutError`
 */
export async function requestJson({ url, method, headers, body, ca, timeoutMs }: JsonRequest): Promise<JsonAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const content = body === undefined ? undefined : JSON.stringify(body);
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const { request } = url.protocol === 'https:' ? https : http;
      const outgoing = request(url, {
        method,
        headers: { accept: 'application/json', ...(content ? { 'content-type': 'application/json' } : {}), ...headers },
        ca,
        signal,
        agent: false,
      });
      outgoing.on('response', resolve).on('error', reject).end(content);
    });
    const answer = await text(response);
    return { status: response.statusCode ?? 0, location: response.headers.location, body: parse(answer) };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

function parse(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
