import { PROBLEMS } from '../../src/common/errors/problem.js';
import { ApiClient, type Problem } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';

let service: TestService;
let api: ApiClient;
beforeAll(async () => {
  service = await startService();
  api = new ApiClient(service);
});

/** The page, and the pages that it links to. */
async function open(path: string, language = 'en') {
  const { status, headers, body } = await api.get<string>(path, { 'Accept-Language': language });
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const links = [...body.matchAll(/href="([^":]+)"/g)].map(([, href]) => new URL(href!, service.url + path).pathname);
  return { body, links };
}

describe('the page at /', () => {
  it.each([
    ['en', 'Accounts and tasks: <span class="success">available'],
    ['de', 'Konten und Aufgaben: <span class="success">verfügbar'],
  ])('says in %s what this is and whether it works', async (language, state) => {
    const { body } = await open('/?utm_source=mail', language);
    expect(body).toContain(`<html lang="${language}">`);
    expect(body).toContain(state);
    expect(body).not.toContain('problem">');
  });

  it('leads to what is there', async () => {
    const { links } = await open('/');
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) expect([link, (await api.get(link)).status]).toEqual([link, 200]);
  });
});

describe('the page of a problem', () => {
  it('is where its type leads', async () => {
    const { body } = await api.get<Problem>('/api/v1/nothing');
    // The address of the service for its clients isn't the one it has here.
    const { body: page } = await open(new URL(body.type).pathname);
    expect(page).toContain('<h1>NOT_FOUND</h1>');
  });

  it('is there for each code, in both languages, and finds its style', async () => {
    const { links } = await open('/problems');
    expect(links.filter((link) => link.startsWith('/problems/'))).toHaveLength(Object.keys(PROBLEMS).length);
    for (const link of links) expect([link, (await api.get(link)).status]).toEqual([link, 200]);
    const { body, links: found } = await open('/problems/version-mismatch', 'de');
    expect(body).toContain('Was zu tun ist');
    for (const link of found) expect([link, (await api.get(link)).status]).toEqual([link, 200]);
  });

  it.each(['/problems/nonsense', '/problems/NOT_FOUND', '/problems/constructor'])('isn’t there at %s', async (path) => {
    expect((await api.get<Problem>(path)).body.code).toBe('NOT_FOUND');
  });
});
