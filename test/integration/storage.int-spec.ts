import { jest } from '@jest/globals';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { databaseClock } from '../../src/platform/database/database-clock.js';
import { S3Storage } from '../../src/platform/storage/s3-storage.js';
import { type NewObject, ObjectStorage } from '../../src/platform/storage/object-storage.js';
import { freePort } from '../../local/ports.js';
import { sendFile as send, upload } from '../support/files.js';
import { buildParts, newEnvironment } from '../support/parts.js';
import { startS3, type TestS3 } from '../support/s3.js';
import { waitFor } from '../support/wait-for.js';

let s3: TestS3;
let storagePath: string;
const storages: Record<string, ObjectStorage> = {};

beforeAll(async () => {
  s3 = await startS3();
  storages['S3'] = new S3Storage(newEnvironment(s3.environment));
  const port = await freePort();
  storagePath = newEnvironment().STORAGE_PATH as string;
  const app = await buildParts({ PUBLIC_URL: `http://127.0.0.1:${port}`, STORAGE_PATH: storagePath });
  await app.listen(port, '127.0.0.1');
  storages['the local disk'] = app.get(ObjectStorage);
}, 120_000);
afterAll(() => s3.close());

const CONTENT = Buffer.from('name;value\nä;1\n');

function newObject(overrides: Partial<NewObject> = {}): NewObject {
  return { key: `test/${randomUUID()}`, contentType: 'text/csv', size: CONTENT.length, ...overrides };
}

async function stored(storage: ObjectStorage, overrides: Partial<NewObject> = {}, body = CONTENT): Promise<string> {
  const object = newObject(overrides);
  expect(await upload(await storage.presignUpload(object), body)).toBe(200);
  return object.key;
}

describe.each(['S3', 'the local disk'])('files in %s', (name) => {
  let storage: ObjectStorage;
  beforeAll(() => {
    storage = storages[name] as ObjectStorage;
  });

  it('are taken by a presigned URL, found, given back, and deleted', async () => {
    const key = await stored(storage);
    expect(await storage.find(key)).toMatchObject({ size: CONTENT.length, contentType: 'text/csv' });
    const { status, headers, body } = await send(await storage.presignDownload(key, 'Zahlen.csv'), 'GET');
    expect([status, headers['content-type'], body]).toEqual([200, 'text/csv', CONTENT]);
    expect(headers['cache-control']).toBe('private, max-age=300');
    await storage.deleteAll(key);
    expect(await storage.find(key)).toBeNull();
    expect((await send(await storage.presignDownload(key), 'GET')).status).toBe(404);
    await storage.deleteAll(key);
  });

  it('may have 25 MiB', async () => {
    const content = randomBytes(25 * 1024 * 1024);
    const key = await stored(storage, { size: content.length }, content);
    const { body } = await send(await storage.presignDownload(key), 'GET');
    expect(createHash('sha256').update(body).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it.each([
    ['another type', { 'Content-Type': 'text/html' }, CONTENT],
    [
      'another size',
      { 'Content-Length': String(CONTENT.length + 1) },
      Buffer.concat([CONTENT, CONTENT]).subarray(0, CONTENT.length + 1),
    ],
    ['another condition', { 'If-None-Match': '"x"' }, CONTENT],
  ])('are refused with %s', async (_, headers, body) => {
    const object = newObject();
    const to = await storage.presignUpload(object);
    expect(await upload(to, body, headers)).toBe(403);
    expect(await storage.find(object.key)).toBeNull();
  });

  it.each(['Content-Type', 'If-None-Match'])('are refused without %s', async (missing) => {
    const object = newObject();
    const to = await storage.presignUpload(object);
    const headers = Object.fromEntries(Object.entries(to.headers).filter(([header]) => header !== missing));
    expect(await upload({ ...to, headers }, CONTENT)).toBe(403);
    expect(await storage.find(object.key)).toBeNull();
  });

  it('are refused in chunks, without a length', async () => {
    const object = newObject();
    const { uploadUrl, headers } = await storage.presignUpload(object);
    const chunked = { 'Content-Type': object.contentType, 'If-None-Match': '*', 'Transfer-Encoding': 'chunked' };
    expect(Object.keys(headers)).toContain('Content-Length');
    expect((await send(uploadUrl, 'PUT', chunked, CONTENT)).status).toBe(403);
    expect(await storage.find(object.key)).toBeNull();
  });

  it('are never overwritten, not even by the same URL', async () => {
    const object = newObject();
    const to = await storage.presignUpload(object);
    expect(await upload(to, CONTENT)).toBe(200);
    expect(await upload(to, Buffer.alloc(CONTENT.length))).toBe(412);
    const { body } = await send(await storage.presignDownload(object.key), 'GET');
    expect(body).toEqual(CONTENT);
  });

  it('are refused where the key is blocked, until it is deleted; what was there is gone', async () => {
    const [object, other] = [newObject(), newObject()];
    const [to, toOther] = [await storage.presignUpload(object), await storage.presignUpload(other)];
    expect(await upload(to, CONTENT)).toBe(200);
    for (const { key } of [object, other]) {
      await storage.block(key);
      await storage.block(key);
      expect(await storage.find(key)).toBeNull();
      expect((await send(await storage.presignDownload(key), 'GET')).body).not.toEqual(CONTENT);
    }
    expect([await upload(to, CONTENT), await upload(toOther, CONTENT)]).toEqual([412, 412]);
    await storage.deleteAll(object.key);
    expect(await upload(to, CONTENT)).toBe(200);
  });

  it('are of their type by their first bytes, too', async () => {
    const object = newObject();
    await expect(storage.assertUploaded(object)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    expect(await upload(await storage.presignUpload(object), CONTENT)).toBe(200);
    await storage.assertUploaded(object);
    const binary = newObject();
    expect(await upload(await storage.presignUpload(binary), Buffer.alloc(CONTENT.length))).toBe(200);
    await expect(storage.assertUploaded(binary)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
  });

  it('take no other path, method, time or signature than the URL was made with', async () => {
    const key = await stored(storage);
    const other = await stored(storage);
    const down = await storage.presignDownload(key);
    const expiry = name === 'S3' ? /(X-Amz-Expires=)\d+/ : /(expires=)\d+/;
    const tampered = [
      down.replace(key, other),
      down.replace(expiry, '$199999999999'),
      down.replace(/inline/, 'attachment'),
      down.replace(/ignature=.{4}/, 'ignature=0000'),
      down.split('?')[0] as string,
    ];
    expect(await Promise.all(tampered.map(async (url) => (await send(url, 'GET')).status))).toEqual(
      tampered.map(() => 403),
    );
    const { headers } = await storage.presignUpload(newObject());
    expect((await send(down, 'PUT', headers, CONTENT)).status).toBe(403);
  });

  it('are out of reach once the URL has expired', async () => {
    const key = await stored(storage);
    const down = await storage.presignDownload(key);
    const object = newObject();
    const to = await storage.presignUpload(object);
    const made = databaseClock.now();
    // A store of its own goes by its machine's clock.
    const clocks = [jest.spyOn(databaseClock, 'now'), jest.spyOn(Date, 'now')];
    const after = (seconds: number) => clocks.forEach((clock) => clock.mockReturnValue(made + seconds * 1000));
    try {
      after(298);
      expect((await send(down, 'GET')).status).toBe(200);
      after(301);
      expect((await send(down, 'GET')).status).toBe(403);
      after(901);
      expect(await upload(to, CONTENT)).toBe(403);
      expect(to.expiresAt.getTime()).toBeLessThanOrEqual(databaseClock.now());
    } finally {
      clocks.forEach((clock) => clock.mockRestore());
    }
    expect(await storage.find(object.key)).toBeNull();
  });

  it('are saved by browsers under their own names, whatever is in them', async () => {
    const key = await stored(storage);
    const filename = 'Übersicht "Q1" (neu); größer\'s 📈.csv';
    const { headers } = await send(await storage.presignDownload(key, filename), 'GET');
    const [, encoded = ''] = /^attachment; filename\*=UTF-8''([\w%.~!#$&+^`|-]+)$/.exec(
      String(headers['content-disposition']),
    ) as string[];
    expect(decodeURIComponent(encoded)).toBe(filename);
    expect((await send(await storage.presignDownload(key), 'GET')).headers['content-disposition']).toBe('inline');
  });

  it('are deleted with all below a key, and nothing that only begins alike', async () => {
    const folder = `test/${randomUUID()}`;
    const inside = await Promise.all(['a', 'b/c'].map((end) => stored(storage, { key: `${folder}/${end}` })));
    const beside = await stored(storage, { key: `${folder}x` });
    await storage.deleteAll(folder);
    expect(await Promise.all(inside.map((key) => storage.find(key)))).toEqual([null, null]);
    expect(await storage.find(beside)).not.toBeNull();
  });
});

describe('S3', () => {
  const cdn = () => new S3Storage(newEnvironment({ ...s3.environment, CDN_URL: 'https://files.test.org/' }));

  it('is read through the CDN, by a URL that was signed for the bucket', async () => {
    const storage = cdn();
    const key = await stored(storage);
    const url = await storage.presignDownload(key, 'a.csv');
    expect(url).toMatch(/^https:\/\/files\.test\.org\/files\/test\//);
    // What a CDN does: the same path and query, asked at its origin.
    const atOrigin = url.replace('https://files.test.org', s3.environment['S3_ENDPOINT'] as string);
    expect((await send(atOrigin, 'GET')).status).toBe(200);
  });

  it('is written to directly, also where there is a CDN', async () => {
    expect((await cdn().presignUpload(newObject())).uploadUrl).toContain(s3.environment['S3_ENDPOINT']);
  });

  it('takes buckets as host names at AWS', async () => {
    const { uploadUrl } = await new S3Storage(newEnvironment({ ...s3.environment, S3_ENDPOINT: '' })).presignUpload(
      newObject(),
    );
    expect(new URL(uploadUrl).host).toBe('files.s3.eu-central-1.amazonaws.com');
    expect(new URL(uploadUrl).searchParams.get('X-Amz-SignedHeaders')).toBe(
      'content-length;content-type;host;if-none-match',
    );
  });

  it.each([
    ['answers errors', 'setOutage'],
    ['says nothing', 'setSilent'],
  ] as const)('is unavailable, soon, while it %s', async (_, fault) => {
    const storage = storages['S3'] as ObjectStorage;
    s3[fault](true);
    const began = Date.now();
    try {
      const unavailable = { code: 'DEPENDENCY_UNAVAILABLE', headers: { 'Retry-After': '5' } };
      await expect(storage.find('test/x')).rejects.toMatchObject(unavailable);
      await expect(storage.ping()).rejects.toMatchObject(unavailable);
      expect(Date.now() - began).toBeLessThan(10_000);
    } finally {
      s3[fault](false);
    }
    expect(await storage.find('test/x')).toBeNull();
  });

  it('is unavailable, not empty, to a key that may not read', async () => {
    const storage = new S3Storage(newEnvironment({ ...s3.environment, S3_SECRET_ACCESS_KEY: 'wrong' }));
    await expect(storage.find('test/x')).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });
});

describe('the local disk', () => {
  let storage: ObjectStorage;
  beforeAll(() => {
    storage = storages['the local disk'] as ObjectStorage;
  });

  it('gives parts, and nothing of what the client has already', async () => {
    const url = await storage.presignDownload(await stored(storage), 'a.csv');
    const whole = await send(url);
    const etag = String(whole.headers['etag']);
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(whole.headers['accept-ranges']).toBe('bytes');

    const part = await send(url, 'GET', { Range: 'bytes=5-9', 'If-Range': etag });
    expect([part.status, part.body]).toEqual([206, CONTENT.subarray(5, 10)]);
    expect(part.headers).toMatchObject({
      'content-range': `bytes 5-9/${CONTENT.length}`,
      'content-length': '5',
      'content-type': 'text/csv',
      'content-disposition': whole.headers['content-disposition'],
      etag,
    });
    const other = await send(url, 'GET', { Range: 'bytes=5-9', 'If-Range': '"other"' });
    expect([other.status, other.body]).toEqual([200, CONTENT]);

    const beyond = await send(url, 'GET', { Range: 'bytes=1000-' });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, `bytes */${CONTENT.length}`]);
    expect(JSON.parse(String(beyond.body))).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' });

    const known = await send(url, 'GET', { 'If-None-Match': etag, Range: 'bytes=1000-' });
    expect([known.status, known.headers['etag'], known.body.length]).toEqual([304, etag, 0]);
    expect((await send(url, 'GET', { 'If-Match': '"other"' })).status).toBe(412);
  });

  it('answers HEAD like GET, without the content', async () => {
    const key = await stored(storage);
    const url = await storage.presignDownload(key, 'a.csv');
    const names = ['content-type', 'content-length', 'content-disposition', 'etag', 'accept-ranges', 'cache-control'];
    const of = ({ headers }: { headers: Record<string, unknown> }) => names.map((name) => headers[name]);
    const head = await send(url, 'HEAD');
    expect([head.status, of(head), head.body.length]).toEqual([200, of(await send(url)), 0]);
    // RFC 9110, 14.2: ranges are for GET alone.
    const part = await send(url, 'HEAD', { Range: 'bytes=-3' });
    expect([part.status, of(part)]).toEqual([200, of(head)]);
    await storage.deleteAll(key);
    expect((await send(url, 'HEAD')).status).toBe(404);
  });
  const unfinished = () => readdir(join(storagePath, '.unfinished'));

  it('keeps nothing of an upload that breaks off', async () => {
    const object = newObject({ size: 1_000_000 });
    const { uploadUrl, headers } = await storage.presignUpload(object);
    const sending = request(uploadUrl, { method: 'PUT', headers }).on('error', () => undefined);
    sending.write(Buffer.alloc(500_000));
    await waitFor('the upload to begin', async () => (await unfinished()).length > 0);
    sending.destroy();
    await waitFor('nothing to be left', async () => (await unfinished()).length === 0);
    expect(await storage.find(object.key)).toBeNull();
  });

  it('lets one of many uploads at once win', async () => {
    const object = newObject();
    const to = await storage.presignUpload(object);
    const answers = await Promise.all(Array.from({ length: 10 }, () => upload(to, CONTENT)));
    expect(answers.sort()).toEqual([200, ...Array.from({ length: 9 }, () => 412)]);
    expect(await unfinished()).toEqual([]);
  });

  it.each(['../secret', '.unfinished/x', 'a/../../b', '/etc', 'a//b', '', 'a/.'])('knows no key %s', async (key) => {
    await expect(storage.find(key)).rejects.toThrow('not a key');
    await expect(storage.deleteAll(key)).rejects.toThrow('not a key');
  });
});
