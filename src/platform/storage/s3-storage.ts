import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { DependencyUnavailableError } from '../../common/errors/problem.js';
import type { FilesEnvironment } from '../../config/areas/files.environment.js';
import {
  attachmentDisposition,
  DOWNLOAD_TTL_SECONDS,
  type NewObject,
  ObjectStorage,
  type PresignedUpload,
  type StoredObject,
  throughCdn,
  UPLOAD_TTL_SECONDS,
} from './object-storage.js';

const CONNECT_TIMEOUT_MS = 1000;
/** For what nobody waits for. */
const REQUEST_TIMEOUT_MS = 10_000;
/** For what a client waits for, all attempts together. */
const ANSWER_TIMEOUT_MS = 3000;
const PING_TIMEOUT_MS = 1000;
const ATTEMPTS = 2;
/** The type of the empty objects that stand in the way of uploads. */
const BLOCKED = 'application/x-blocked';
const RETRY_AFTER_SECONDS = 5;

/** Files in S3, or in a store that speaks its protocol (`S3_ENDPOINT`; buckets are then part of the path). */
export class S3Storage extends ObjectStorage {
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly cdnUrl: string | undefined;

  constructor({ S3_BUCKET, CDN_URL, ...environment }: FilesEnvironment) {
    super();
    this.bucket = S3_BUCKET as string;
    this.cdnUrl = CDN_URL;
    this.client = new S3Client({
      region: environment.S3_REGION,
      ...(environment.S3_ENDPOINT && { endpoint: environment.S3_ENDPOINT, forcePathStyle: true }),
      // Without a key the SDK looks for credentials where it always does: the pod's or machine's role, say.
      ...(environment.S3_ACCESS_KEY_ID && {
        credentials: {
          accessKeyId: environment.S3_ACCESS_KEY_ID,
          secretAccessKey: environment.S3_SECRET_ACCESS_KEY as string,
        },
      }),
      // Otherwise the checksum of an empty body would be signed into every upload's URL.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: ATTEMPTS,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
    });
  }

  async presignUpload({ key, contentType, size }: NewObject): Promise<PresignedUpload> {
    const expiresAt = new Date(Date.now() + UPLOAD_TTL_SECONDS * 1000);
    const command = new PutObjectCommand({
      Bucket: this.bucket,
      Key: key,
      ContentType: contentType,
      ContentLength: size,
      IfNoneMatch: '*',
    });
    // The presigner signs every header it is given but the type, unless it is listed here.
    const options = { expiresIn: UPLOAD_TTL_SECONDS, signableHeaders: new Set(['content-type']) };
    return {
      uploadUrl: await this.ask(() => getSignedUrl(this.client, command, options)),
      method: 'PUT',
      headers: { 'Content-Type': contentType, 'Content-Length': String(size), 'If-None-Match': '*' },
      expiresAt,
    };
  }

  async presignDownload(key: string, filename?: string): Promise<string> {
    const command = new GetObjectCommand({
      Bucket: this.bucket,
      Key: key,
      ResponseContentDisposition: filename === undefined ? 'inline' : attachmentDisposition(filename),
      ResponseCacheControl: `private, max-age=${DOWNLOAD_TTL_SECONDS}`,
    });
    const url = await this.ask(() => getSignedUrl(this.client, command, { expiresIn: DOWNLOAD_TTL_SECONDS }));
    return throughCdn(url, this.cdnUrl);
  }

  async find(key: string): Promise<StoredObject | null> {
    return await this.ask(async () => {
      try {
        const abortSignal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
        const command = new HeadObjectCommand({ Bucket: this.bucket, Key: key });
        const head = await this.client.send(command, { abortSignal });
        if (head.ContentType === BLOCKED) return null;
        return { size: head.ContentLength ?? 0, contentType: head.ContentType ?? '' };
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    });
  }

  protected async readStart(key: string, bytes: number): Promise<Buffer> {
    return await this.ask(async () => {
      const abortSignal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range: `bytes=0-${bytes - 1}` });
      const { Body } = await this.client.send(command, { abortSignal });
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    });
  }

  async block(key: string): Promise<void> {
    await this.ask(() =>
      this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: Buffer.alloc(0),
          ContentLength: 0,
          ContentType: BLOCKED,
        }),
      ),
    );
  }

  async deleteAll(key: string): Promise<void> {
    await this.ask(async () => {
      // With the key itself, which no prefix that ends in a slash would find; keys that only begin alike stay.
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client: this.client },
        { Bucket: this.bucket, Prefix: key },
      )) {
        const keys = Contents.map(({ Key = '' }) => Key).filter(
          (found) => found === key || found.startsWith(`${key}/`),
        );
        if (keys.length > 0) await this.delete(keys);
      }
    });
  }

  async ping(): Promise<void> {
    const abortSignal = AbortSignal.timeout(PING_TIMEOUT_MS);
    await this.ask(() => this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal }));
  }

  private async delete(keys: string[]): Promise<void> {
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const { Errors = [] } = await this.client.send(new DeleteObjectsCommand({ Bucket: this.bucket, Delete }));
    if (Errors.length > 0) throw new Error(`S3 kept ${Errors.length} of ${keys.length} objects: ${Errors[0]?.Code}`);
  }

  private async ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      const detail = 'Files are not reachable at the moment: try again soon.';
      throw new DependencyUnavailableError(detail, RETRY_AFTER_SECONDS, error);
    }
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
