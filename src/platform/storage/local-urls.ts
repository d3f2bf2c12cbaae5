import type { SecretBox } from '../../common/crypto/secret-box.js';
import { ProblemError } from '../../common/errors/problem.js';
import type { FilesEnvironment } from '../../config/areas/files.environment.js';
import type { HttpEnvironment } from '../../config/areas/http.environment.js';
import { databaseNow } from '../database/database-clock.js';
import {
  attachmentDisposition,
  DOWNLOAD_TTL_SECONDS,
  type NewObject,
  type PresignedUpload,
  throughCdn,
  UPLOAD_TTL_SECONDS,
} from './object-storage.js';

/** Where the service itself stands in for a store. */
export const LOCAL_FILES_PATH = '/files';

const PURPOSE = 'files.url';

/** What is signed, in this order; what a request lacks is signed as missing. */
const SIGNED = ['method', 'key', 'expires', 'disposition', 'content-type', 'content-length', 'if-none-match'] as const;
type Signed = Partial<Record<(typeof SIGNED)[number], string | undefined>>;

/** A request as far as a signature covers it. */
export interface SignedRequest {
  method: string;
  key: string;
  query: { expires?: string; disposition?: string; signature?: string };
  headers: { 'content-type'?: string; 'content-length'?: string; 'if-none-match'?: string };
}

export class SignatureError extends ProblemError {
  constructor(detail: string) {
    super('FORBIDDEN', detail);
  }
}

/** Presigned URLs of the local disk, on the model of S3's: what the URL promises of a request is part of its signature. */
export class LocalUrls {
  constructor(
    private readonly box: SecretBox,
    private readonly environment: FilesEnvironment,
    private readonly http: HttpEnvironment,
  ) {}

  signUpload({ key, contentType, size }: NewObject): PresignedUpload {
    const expires = inSeconds(UPLOAD_TTL_SECONDS);
    const signed = { 'content-type': contentType, 'content-length': String(size), 'if-none-match': '*' };
    const signature = this.box.sign(PURPOSE, textOf({ method: 'PUT', key, expires, ...signed }));
    return {
      uploadUrl: this.urlOf(key, { expires, signature }),
      method: 'PUT',
      headers: { 'Content-Type': contentType, 'Content-Length': String(size), 'If-None-Match': '*' },
      expiresAt: new Date(Number(expires) * 1000),
    };
  }

  signDownload(key: string, filename?: string): string {
    const expires = inSeconds(DOWNLOAD_TTL_SECONDS);
    const disposition = filename === undefined ? 'inline' : attachmentDisposition(filename);
    const signature = this.box.sign(PURPOSE, textOf({ method: 'GET', key, expires, disposition }));
    return throughCdn(this.urlOf(key, { expires, disposition, signature }), this.environment.CDN_URL);
  }

  /** @throws SignatureError where the URL has expired or isn't one for this very request */
  verify({ method, key, query, headers }: SignedRequest): void {
    const { expires = '', disposition, signature = '' } = query;
    const { 'content-type': type, 'content-length': size, 'if-none-match': condition } = headers;
    const uploaded = { 'content-type': type, 'content-length': size, 'if-none-match': condition };
    // Who may read an object may read what is known of it.
    const signedMethod = method === 'HEAD' ? 'GET' : method;
    const text = textOf({ method: signedMethod, key, expires, disposition, ...(method === 'PUT' && uploaded) });
    if (!this.box.verify(PURPOSE, text, signature)) {
      throw new SignatureError('The URL was not signed for this request: send the headers that came with it.');
    }
    if (Number(expires) * 1000 <= databaseNow()) throw new SignatureError('The URL has expired.');
  }

  private urlOf(key: string, query: Record<string, string>): string {
    return `${this.http.PUBLIC_URL}${LOCAL_FILES_PATH}/${key}?${new URLSearchParams(query).toString()}`;
  }
}

function inSeconds(seconds: number): string {
  return String(Math.floor(databaseNow() / 1000) + seconds);
}

/** Unambiguous for all values. */
function textOf(signed: Signed): string {
  return JSON.stringify(SIGNED.map((name) => signed[name] ?? null));
}
