import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve('.ci/audit.mjs');
const BULK = '/-/npm/v1/security/advisories/bulk';
const PACKAGE = { name: 'left-pad', version: '1.3.0' };

let registry: Server;
let url: string;
let answer: { status: number; body: unknown };
const folder = mkdtempSync(join(tmpdir(), 'ci-audit-'));

beforeAll(async () => {
  registry = createServer((request, response) => {
    const isQuestion = request.url === BULK;
    const document = { name: PACKAGE.name, 'dist-tags': {}, versions: { [PACKAGE.version]: PACKAGE } };
    request.resume().once('end', () => {
      response.statusCode = isQuestion ? answer.status : 200;
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(isQuestion ? answer.body : document));
    });
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
  const project = { name: 'audited', version: '1.0.0', dependencies: { [PACKAGE.name]: PACKAGE.version } };
  const packages = { '': project, [`node_modules/${PACKAGE.name}`]: { version: PACKAGE.version } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...project, lockfileVersion: 3, packages }));
});
afterAll(() => {
  registry.close();
  registry.closeAllConnections();
  rmSync(folder, { recursive: true });
});

function audit(cwd = folder): Promise<{ code: number; lines: string[] }> {
  const env = { ...process.env, npm_config_registry: url, npm_config_cache: mkdtempSync(join(folder, 'cache-')) };
  return new Promise((done) => {
    const child = execFile(process.execPath, [SCRIPT], { cwd, env }, (_, stdout) =>
      done({ code: child.exitCode ?? -1, lines: stdout.trimEnd().split('\n') }),
    );
  });
}

const advisory = (severity: string) => ({
  [PACKAGE.name]: [
    { id: 1, url: 'https://advisories.test/1', title: 'Pads too much', severity, vulnerable_versions: '*', cwe: [] },
  ],
});

it.each(['high', 'critical'])('fails for a vulnerability that is %s, and names it', async (severity) => {
  answer = { status: 200, body: advisory(severity) };
  expect(await audit()).toEqual({
    code: 1,
    lines: [
      `${severity}: left-pad, Pads too much: https://advisories.test/1`,
      '1 dependencies with a high or critical vulnerability',
    ],
  });
});

it.each([
  ['a moderate one', advisory('moderate')],
  ['none', {}],
])('passes with %s', async (_, body) => {
  answer = { status: 200, body };
  expect(await audit()).toEqual({ code: 0, lines: ['0 dependencies with a high or critical vulnerability'] });
});

it('says so in one line where the registry cannot be asked', async () => {
  answer = { status: 405, body: {} };
  const line = "NOT AUDITED: the registry can't be asked for vulnerabilities of the dependencies (it answered 405)";
  expect(await audit()).toEqual({ code: 0, lines: [line] });
});

it('fails where the project has nothing to audit', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'ci-audit-'));
  writeFileSync(join(empty, 'package.json'), '{}');
  const { code, lines } = await audit(empty);
  rmSync(empty, { recursive: true });
  expect({ code, lines }).toEqual({ code: 1, lines: ['This command requires an existing lockfile.'] });
});
