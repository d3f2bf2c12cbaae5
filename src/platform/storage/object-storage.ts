import { UploadIncompleteError } from '../../common/errors/problem.js';
import { hasContentType, SAMPLE_BYTES } from './content-type.js';

/** A file that is to be uploaded. */
export interface NewObject {
  /** Segments of `A-Za-z0-9_-`, joined by slashes. */
  key: string;
  /** Media type without parameters. */
  contentType: string;
  /** Bytes, exactly. */
  size: number;
}

/** What a client needs to upload a file straight to the store. */
export interface PresignedUpload {
  uploadUrl: string;
  method: 'PUT';
  /** All of them are signed: the upload is refused without one of them, or with another value. */
  headers: Record<string, string>;
  expiresAt: Date;
}

/** What the store says of an object. */
export interface StoredObject {
  size: number;
  contentType: string;
}

/** How long a presigned URL works, in seconds. */
export const UPLOAD_TTL_SECONDS = 900;
export const DOWNLOAD_TTL_SECONDS = 300;

/** After an upload is presigned: when none that began in time can still be running, in milliseconds. */
export const UPLOADS_END_MS = 24 * 3600 * 1000;

/**
 * Where files are. Their bytes never pass through the API: clients get presigned URLs, each good for one method and one
 * object. Every operation throws `DependencyUnavailableError` where the store can't be reached.
 */
export abstract class ObjectStorage {
  /** A URL that takes exactly this object (type and size), once: what exists is never overwritten. */
  abstract presignUpload(object: NewObject): Promise<PresignedUpload>;

  /**
   * A URL that gives the object to everybody who has it.
   *
   * @param filename what browsers save it as; without one they show it
   */
  abstract presignDownload(key: string, filename?: string): Promise<string>;

  /** @returns null where there is no such object */
  abstract find(key: string): Promise<StoredObject | null>;

  /** The first bytes of an object: as many as are asked for, or all of a smaller one. */
  protected abstract readStart(key: string, bytes: number): Promise<Buffer>;

  /** @throws UploadIncompleteError where this very object, in size, type and first bytes, isn't there (yet) */
  async assertUploaded({ key, contentType, size }: NewObject): Promise<void> {
    const found = await this.find(key);
    if (found?.size !== size || found.contentType !== contentType) throw new UploadIncompleteError();
    if (!(await hasContentType(contentType, await this.readStart(key, SAMPLE_BYTES)))) {
      throw new UploadIncompleteError(`The file is not ${contentType}: upload another one, with a new URL.`);
    }
  }

  /** Deletes the object with this key, and all whose keys go on with a slash behind it. None is fine, too. */
  abstract deleteAll(key: string): Promise<void>;

  /**
   * Removes the content of an object, and has the store refuse uploads with this key from then on, until `deleteAll`. A
   * presigned URL can't be revoked; but as nothing is overwritten, something can stand in its way.
   */
  abstract block(key: string): Promise<void>;

  /** Resolves where the store can be used. */
  abstract ping(): Promise<void>;
}

/** `Content-Disposition` that has browsers save the file under its name (RFC 6266, RFC 8187). */
export function attachmentDisposition(filename: string): string {
  const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return `attachment; filename*=UTF-8''${encodeURIComponent(filename).replace(/['()*]/g, percent)}`;
}

/** The same URL at the CDN, where there is one: `CDN_URL` replaces scheme and host, path and query stay as they were signed. */
export function throughCdn(url: string, cdnUrl: string | undefined): string {
  if (cdnUrl === undefined) return url;
  const { pathname, search } = new URL(url);
  return `${cdnUrl}${pathname}${search}`;
}
