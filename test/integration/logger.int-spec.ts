import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const LOGGER = pathToFileURL(join(process.cwd(), 'build/platform/observability/logger.js')).href;

/** The line that a statement logs, in a process of its own: the logger writes to standard output. */
function lineOf(statement: string): Record<string, unknown> {
  const program = `
    import { createLogger, PinoLoggerService } from ${JSON.stringify(LOGGER)};
    const pino = createLogger('trace');
    const logger = new PinoLoggerService(pino);
    ${statement}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('the logger', () => {
  it('says when, how loud, who and what', () => {
    expect(lineOf(`logger.log('listening', 'Service')`)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      service: 'scalable-api',
      context: 'Service',
      msg: 'listening',
    });
  });

  it.each([
    ['an address', 'E11000 duplicate key { _id: "ada@example.org" }', 'E11000 duplicate key { _id: "[email]" }'],
    ['a token', 'Bearer eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl!', 'Bearer [token]!'],
    ['credentials', 'connect mongodb://user:hunter2@db:27017', 'connect mongodb://[credentials]@db:27017'],
  ])('takes %s out of messages and errors', (_, text, expected) => {
    const message = JSON.stringify(text);
    expect(lineOf(`logger.warn(${message}, 'Context')`)['msg']).toBe(expected);
    expect(lineOf(`logger.error(new Error(${message}), 'Context')`)).toMatchObject({
      msg: expected,
      err: { type: 'Error', message: expected, stack: expect.stringContaining(expected) as string },
    });
    const logged = lineOf(
      `logger.error({ err: Object.assign(new Error(${message}), { code: 11000 }) }, 'failed', 'Context')`,
    );
    expect(logged).toMatchObject({ msg: 'failed', context: 'Context', err: { message: expected, code: 11000 } });
    expect(JSON.stringify(logged)).not.toMatch(/ada@|eyJ|hunter2/);
  });

  it('says nothing of an error but its type, message, code and stack', () => {
    const { err } = lineOf(
      `pino.error({ err: Object.assign(new Error('no'), { body: { password: 'hunter2' } }) }, 'x')`,
    );
    expect(Object.keys(err as object).sort()).toEqual(['message', 'stack', 'type']);
  });

  it('blackens what is called a password, a token or an address', () => {
    const details = {
      password: 'p',
      token: 't',
      refreshToken: 'r',
      accessToken: 'a',
      authorization: 'b',
      cookie: 'c',
      email: 'e',
    };
    const { body } = lineOf(`pino.info({ body: ${JSON.stringify(details)} }, 'x')`);
    expect(new Set(Object.values(body as object))).toEqual(new Set(['[redacted]']));
  });
});
