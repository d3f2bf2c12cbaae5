import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

describe('docker/Dockerfile', () => {
  const recipe = readFileSync('docker/Dockerfile', 'utf8').replaceAll('\\\n', '');
  const instructions = (name: string) =>
    [...recipe.matchAll(new RegExp(`^\\s*${name} +(.+)$`, 'gm'))].map(([, rest]) => rest!);

  it('builds every stage on one image with a version', () => {
    expect(instructions('ARG')[0]).toMatch(/^NODE_IMAGE=node:24-bookworm-slim(@sha256:[0-9a-f]{64})?$/);
    for (const from of instructions('FROM')) expect(from).toContain('${NODE_IMAGE}');
  });

  it('starts node itself, without a shell that would keep SIGTERM', () => {
    expect(instructions('ENTRYPOINT')).toEqual(['["node"]']);
    expect(instructions('CMD')).toContain('["dist/main.js"]');
  });

  it('copies only what is there and what .dockerignore lets in', () => {
    const allowed = readFileSync('.dockerignore', 'utf8').split('\n');
    const sources = instructions('COPY')
      .filter((copy) => !copy.startsWith('--from'))
      .flatMap((copy) => copy.split(/ +/).slice(0, -1));
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      expect(existsSync(source)).toBe(true);
      expect(allowed).toContain(`!${source}`);
    }
  });

  it.each([
    [200, 0],
    [503, 1],
  ])('has a health check that turns %i into exit code %i, and no answer into 1', async (status, code) => {
    const paths: string[] = [];
    const server = createServer((incoming, response) => {
      paths.push(incoming.url!);
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await check(port)).toBe(code);
    expect(paths).toEqual(['/health/live']);
    server.close();
    await once(server, 'close');
    expect(await check(port)).toBe(1);
  });

  /** Runs the image's own command, as an engine would, and gives its exit code. */
  async function check(port: number): Promise<unknown> {
    const [, command] = /CMD (\[.+\])$/.exec(instructions('HEALTHCHECK')[0]!)!;
    const [node, ...args] = JSON.parse(command!) as string[];
    const child = spawn(node!, args, { env: { PATH: process.env['PATH'], PORT: String(port) }, stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [unknown];
    return code;
  }
});
