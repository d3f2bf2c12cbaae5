import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs';
import { access, constants, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type OnModuleInit } from '@nestjs/common';
import type { ByteRange } from '../../common/http/byte-range.js';
import { DependencyUnavailableError, ProblemError } from '../../common/errors/problem.js';
import type { FilesEnvironment } from '../../config/areas/files.environment.js';
import { ConfigurationError } from '../../config/environment.js';
import type { LocalUrls } from './local-urls.js';
import { type NewObject, ObjectStorage, type PresignedUpload, type StoredObject } from './object-storage.js';

const KEY = /^[\w-]+(\/[\w-]+)*$/;
/** Beside the keys, none of which can have such a name. */
const UNFINISHED = '.unfinished';
const UNFINISHED_KEPT_MS = 24 * 3600 * 1000;

/** A full disk, a used-up quota, and a limit of the process. */
const NO_SPACE = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const NO_SPACE_RETRY_SECONDS = 60;

/** Something is there already, as `If-None-Match: *` asks about. */
export class ObjectExistsError extends ProblemError {
  constructor() {
    super('VERSION_MISMATCH', 'There is a file already, and none is overwritten.');
  }
}

/**
 * Files on this machine's disk, for the local stack: an object is a folder with its content and its type, and it appears
 * as a whole, by renaming. Its URLs lead to the service itself (`serveLocalFiles`).
 */
export class LocalStorage extends ObjectStorage implements OnModuleInit {
  private readonly root: string;

  constructor(
    { STORAGE_PATH }: FilesEnvironment,
    private readonly urls: LocalUrls,
  ) {
    super();
    this.root = resolve(STORAGE_PATH as string);
  }

  /** @throws ConfigurationError where the folder can't be used */
  async onModuleInit(): Promise<void> {
    try {
      await mkdir(join(this.root, UNFINISHED), { recursive: true });
      await this.ping();
    } catch (cause) {
      throw new ConfigurationError('STORAGE_PATH must be a folder that the service may write to.', { cause });
    }
    await this.removeUnfinished();
  }

  presignUpload(object: NewObject): Promise<PresignedUpload> {
    return Promise.resolve(this.urls.signUpload(object));
  }

  presignDownload(key: string, filename?: string): Promise<string> {
    return Promise.resolve(this.urls.signDownload(key, filename));
  }

  async find(key: string): Promise<(StoredObject & { etag: string }) | null> {
    const folder = this.folderOf(key);
    try {
      const [{ size, mtimeNs }, contentType] = await Promise.all([
        stat(join(folder, 'content'), { bigint: true }),
        readFile(join(folder, 'type'), 'utf8'),
      ]);
      // Nothing is overwritten: another content is another file, of a later time.
      return { size: Number(size), contentType, etag: `"${mtimeNs.toString(36)}-${size.toString(36)}"` };
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
  }

  async deleteAll(key: string): Promise<void> {
    await rm(this.folderOf(key), { recursive: true, force: true });
  }

  protected async readStart(key: string, bytes: number): Promise<Buffer> {
    const file = await open(join(this.folderOf(key), 'content'));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** What stands in the way is a folder that isn't empty and has no content. */
  async block(key: string): Promise<void> {
    const target = this.folderOf(key);
    await mkdir(target, { recursive: true });
    await writeFile(join(target, 'blocked'), '');
    for (const name of ['type', 'content']) await rm(join(target, name), { force: true });
  }

  async ping(): Promise<void> {
    await access(join(this.root, UNFINISHED), constants.W_OK);
  }

  /**
   * Stores what a stream gives, without ever holding more than a piece of it in memory. Nothing is left of one that
   * breaks off, or is longer or shorter than it should be.
   *
   * @throws ObjectExistsError
   * @throws DependencyUnavailableError where the disk has no space for it
   */
  async write({ key, contentType, size }: NewObject, content: Readable): Promise<void> {
    const target = this.folderOf(key);
    if (await this.isTaken(target)) throw new ObjectExistsError();
    const upload = join(this.root, UNFINISHED, randomUUID());
    try {
      await mkdir(upload);
      await pipeline(content, exactly(size), createWriteStream(join(upload, 'content')));
      await writeFile(join(upload, 'type'), contentType);
      await mkdir(dirname(target), { recursive: true });
      // Fails where the folder is there and not empty: of two uploads at once, one wins.
      await rename(upload, target);
    } catch (error) {
      if (isCode(error, 'ENOTEMPTY', 'EEXIST')) throw new ObjectExistsError();
      if (isCode(error, ...NO_SPACE)) {
        throw new DependencyUnavailableError(
          'There is no space for the file at the moment.',
          NO_SPACE_RETRY_SECONDS,
          error,
        );
      }
      throw error;
    } finally {
      // Tried again: a file that is opened at this moment keeps the folder from being removed.
      await rm(upload, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** @param range all of it where it is left out */
  read(key: string, range?: ByteRange): ReadStream {
    return createReadStream(join(this.folderOf(key), 'content'), range);
  }

  private async isTaken(folder: string): Promise<boolean> {
    return await access(folder).then(
      () => true,
      () => false,
    );
  }

  /** Signatures keep foreign keys out; this is what keeps a wrong one of our own inside the folder. */
  private folderOf(key: string): string {
    if (!KEY.test(key)) throw new Error('not a key of an object');
    return join(this.root, key);
  }

  /** What a process left that was killed during an upload. */
  private async removeUnfinished(): Promise<void> {
    const folder = join(this.root, UNFINISHED);
    for (const name of await readdir(folder)) {
      const { mtimeMs } = await stat(join(folder, name));
      if (Date.now() - mtimeMs > UNFINISHED_KEPT_MS) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** Passes on so many bytes and ends with an error at the first too many, or where some are missing. */
function exactly(size: number) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let seen = 0;
    for await (const chunk of source) {
      seen += chunk.length;
      if (seen > size) break;
      yield chunk;
    }
    if (seen !== size) throw new ProblemError('VALIDATION_FAILED', 'The body has another length than was signed.');
  };
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
