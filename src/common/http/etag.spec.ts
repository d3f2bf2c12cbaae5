import type { FastifyReply } from 'fastify';
import { VersionMismatchError } from '../errors/problem.js';
import { assertMatches, etagOf, preconditionOf, replyWithEtag } from './etag.js';

/** Tags that name version 7, as clients and proxies write them. */
const CURRENT = ['"7"', 'W/"7"', '*', ' * ', '"1","7"', '"1" , W/"7"', ',"7",,', '"a,b", "7"'];
/** What looks like version 7, and is not its tag. */
const OTHERS = ['', '"8"', '7', "'7'", '"7', '"7x"', 'w/"7"', '"07"', '"0007"', '"7 "', '"7", *', '"a,"7""', '"1" "7"'];

/** A reply that notes its status and tag. */
function replyTo(method: string, headers: Record<string, string> = {}) {
  const answer = { status: 200, headers: {} as Record<string, string> };
  const reply = {
    request: { method, headers },
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

describe('the condition of a write', () => {
  const check = (headers: Record<string, string>) => () => assertMatches(preconditionOf(headers), { version: 7 });

  it('is none without a header', () => {
    expect(preconditionOf({})).toBe('any');
    expect(check({})).not.toThrow();
  });

  it.each(CURRENT)('holds for If-Match and not for If-None-Match: %s', (header) => {
    expect(check({ 'if-match': header })).not.toThrow();
    expect(check({ 'if-none-match': header })).toThrow(VersionMismatchError);
  });

  it.each(OTHERS)('holds for If-None-Match and not for If-Match: %s', (header) => {
    expect(check({ 'if-match': header })).toThrow(VersionMismatchError);
    expect(check({ 'if-none-match': header })).not.toThrow();
  });

  it('has to hold in both headers', () => {
    expect(check({ 'if-match': '"7"', 'if-none-match': '"8"' })).not.toThrow();
    expect(check({ 'if-match': '"7"', 'if-none-match': '"7"' })).toThrow(VersionMismatchError);
  });
});

describe('replyWithEtag', () => {
  it.each(CURRENT)('answers 304 without a body for If-None-Match: %s', (header) => {
    const { reply, answer } = replyTo('GET', { 'if-none-match': header });
    expect(replyWithEtag(reply, 7, 'body')).toBeUndefined();
    expect(answer).toEqual({ status: 304, headers: { ETag: '"7"' } });
  });

  it.each([undefined, ...OTHERS])('answers with the body for If-None-Match: %s', (header) => {
    const { reply, answer } = replyTo('GET', header === undefined ? {} : { 'if-none-match': header });
    expect(replyWithEtag(reply, 7, 'body')).toBe('body');
    expect(answer).toEqual({ status: 200, headers: { ETag: '"7"' } });
  });

  it.each(OTHERS)('refuses a read with If-Match: %s', (header) => {
    const { reply } = replyTo('GET', { 'if-match': header, 'if-none-match': '*' });
    expect(() => replyWithEtag(reply, 7, 'body')).toThrow(VersionMismatchError);
  });

  it('ignores the conditions of a write, which are about the state before it', () => {
    const { reply } = replyTo('PATCH', { 'if-none-match': '"7"', 'if-match': '"6"' });
    expect(replyWithEtag(reply, 7, 'body')).toBe('body');
  });
});
