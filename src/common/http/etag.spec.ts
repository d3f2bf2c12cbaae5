import type { FastifyReply } from 'fastify';
import { VersionMismatchError } from '../errors/problem.js';
import { assertMatches, etagOf, replyWithEtag } from './etag.js';

/** A reply that notes its status and tag. */
function replyTo(method: string, ifNoneMatch?: string) {
  const answer = { status: 200, headers: {} as Record<string, string> };
  const reply = {
    request: { method, headers: ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch } },
    header: (name: string, value: string) => (answer.headers[name] = value),
    status: (status: number) => (answer.status = status),
  };
  return { reply: reply as unknown as FastifyReply, answer };
}

describe('the tag', () => {
  it('is strong and tells the version', () => {
    expect(etagOf({ version: 7 })).toBe('"7"');
  });
});

describe('assertMatches', () => {
  it.each([['any' as const], [[7]], [[1, 7]]])('lets version 7 through for %j', (precondition) => {
    expect(() => assertMatches(precondition, { version: 7 })).not.toThrow();
  });

  it.each([[[6]], [[]], [[-1, 70]]])('refuses version 7 for %j', (precondition) => {
    expect(() => assertMatches(precondition, { version: 7 })).toThrow(VersionMismatchError);
  });
});

describe('replyWithEtag', () => {
  it.each(['"7"', 'W/"7"', '*', ' * ', '"1","7"', '"1" , W/"7"'])('answers 304 without a body for %s', (header) => {
    const { reply, answer } = replyTo('GET', header);
    expect(replyWithEtag(reply, 7, 'body')).toBeUndefined();
    expect(answer).toEqual({ status: 304, headers: { ETag: '"7"' } });
  });

  it.each([undefined, '', '"8"', '7', "'7'", '"7', '"7x"', 'w/"7"', '"07 "'])(
    'answers with the body for %s',
    (header) => {
      const { reply, answer } = replyTo('GET', header);
      expect(replyWithEtag(reply, 7, 'body')).toBe('body');
      expect(answer).toEqual({ status: 200, headers: { ETag: '"7"' } });
    },
  );

  it('ignores the condition of a write, which is about something else', () => {
    const { reply } = replyTo('PATCH', '"7"');
    expect(replyWithEtag(reply, 7, 'body')).toBe('body');
  });
});
