import { createHash } from 'node:crypto';
import { ApiClient } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';

const IMMUTABLE = 'public, max-age=31536000, immutable';

let service: TestService;
let api: ApiClient;
let paths: string[];

const get = (path: string, headers: Record<string, string> = {}) => api.get<string>(path, headers);

beforeAll(async () => {
  service = await startService();
  api = new ApiClient(service);
  const { body } = await get('/verify-email');
  paths = [...body.matchAll(/(?:href|src)="(static\/[^"]+)"/g)].map(([, path]) => `/${path}`);
});

describe('the files of a page', () => {
  it('are its style and its script, at names that tell their content', async () => {
    expect(paths).toEqual([
      expect.stringMatching(/^\/static\/page\.[0-9a-f]{16}\.css$/),
      expect.stringMatching(/^\/static\/page\.[0-9a-f]{16}\.js$/),
    ]);
    for (const path of paths) {
      const { status, headers, body } = await get(path);
      expect(status).toBe(200);
      expect(path).toContain(createHash('sha256').update(body).digest('hex').slice(0, 16));
      expect(headers.get('content-type')).toBe(`text/${path.endsWith('css') ? 'css' : 'javascript'}; charset=utf-8`);
    }
  });

  it('may be kept for a year by anybody, and are the same at every replica', async () => {
    for (const path of paths) {
      const { headers } = await get(path);
      expect(headers.get('cache-control')).toBe(IMMUTABLE);
      expect(headers.get('etag')).toBe(`"${path.split('.')[1]}"`);
      expect(headers.get('last-modified')).toBe('Tue, 01 Jan 1980 00:00:00 GMT');
      expect(headers.has('ratelimit-limit')).toBe(false);
    }
  });

  it('are loaded by all pages', async () => {
    const [styles] = paths;
    for (const page of ['/reset-password', '/unsubscribe']) expect((await get(page)).body).toContain(styles!.slice(1));
  });

  it.each([
    ['its tag', { 'If-None-Match': 'TAG' }, 304],
    ['its tag, weakened by a compressing proxy', { 'If-None-Match': '"other", W/TAG' }, 304],
    ['any', { 'If-None-Match': '*' }, 304],
    ['another tag', { 'If-None-Match': '"other"' }, 200],
    ['its time', { 'If-Modified-Since': 'Tue, 01 Jan 1980 00:00:00 GMT' }, 304],
    ['an earlier time', { 'If-Modified-Since': 'Mon, 31 Dec 1979 00:00:00 GMT' }, 200],
    ['no time', { 'If-Modified-Since': 'yesterday' }, 200],
    ['another tag and its time', { 'If-None-Match': '"x"', 'If-Modified-Since': 'Tue, 01 Jan 1980 00:00:00 GMT' }, 200],
  ])('answer a client that has %s', async (_, condition, expected) => {
    const [path] = paths as [string];
    const { headers: first } = await get(path);
    const headers = Object.fromEntries(
      Object.entries(condition).map(([name, value]) => [name, value.replace('TAG', first.get('etag')!)]),
    );
    const answer = await get(path, headers);
    expect(answer.status).toBe(expected);
    // What a 304 has to repeat (RFC 9110, 15.4.5).
    for (const name of ['etag', 'cache-control']) expect(answer.headers.get(name)).toBe(first.get(name));
  });
});

describe('another hash, as while a new version is rolled out', () => {
  const other = (path: string) => path.replace(/\.[0-9a-f]{16}\./, '.0123456789abcdef.');

  it('is answered with the file that is there, for this once', async () => {
    for (const path of paths) {
      const [asked, current] = [await get(other(path)), await get(path)];
      expect([asked.status, asked.body]).toEqual([200, current.body]);
      expect(asked.headers.get('cache-control')).toBe('no-cache');
      expect(asked.headers.get('etag')).toBe(current.headers.get('etag'));
      expect(asked.headers.has('last-modified')).toBe(false);
      const later = await get(other(path), { 'If-Modified-Since': new Date().toUTCString() });
      expect(later.status).toBe(200);
    }
  });

  it.each(['/static/', '/static/other.css', '/static/page.0123456789abcdef.html', '/static/..%2fhtml-page.js'])(
    'is nothing at %s',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});
