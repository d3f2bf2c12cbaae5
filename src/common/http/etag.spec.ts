import { VersionMismatchError } from '../errors/problem.js';
import { assertMatches, etagOf, isUnchanged, NO_ETAG, preconditionOf } from './etag.js';

/** Tags that name version 7, as clients and proxies write them. */
const CURRENT = ['"7"', 'W/"7"', '*', ' * ', '"1","7"', '"1" , W/"7"', ',"7",,', '"a,b", "7"'];
/** What looks like version 7, and is not its tag. */
const OTHERS = ['', '"8"', '7', "'7'", '"7', '"7x"', 'w/"7"', '"07"', '"0007"', '"7 "', '"7", *', '"a,"7""', '"1" "7"'];

describe('the tag', () => {
  it('is strong and contains the version', () => {
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

describe('the condition of a read', () => {
  it.each(CURRENT)('holds for If-Match, and finds nothing new for If-None-Match: %s', (header) => {
    expect(isUnchanged({ 'if-match': header }, '"7"')).toBe(false);
    expect(isUnchanged({ 'if-none-match': header }, '"7"')).toBe(true);
  });

  it.each([undefined, ...OTHERS])('finds something new for If-None-Match: %s', (header) => {
    expect(isUnchanged(header === undefined ? {} : { 'if-none-match': header }, '"7"')).toBe(false);
  });

  it.each(OTHERS)('fails for If-Match, which comes first: %s', (header) => {
    expect(() => isUnchanged({ 'if-match': header, 'if-none-match': '*' }, '"7"')).toThrow(VersionMismatchError);
  });

  it.each(['""', '"7"', 'W/""', ''])('of what has no tag is met by * alone, not by: %s', (header) => {
    expect(isUnchanged({ 'if-match': '*', 'if-none-match': header }, NO_ETAG)).toBe(false);
    expect(isUnchanged({ 'if-none-match': '*' }, NO_ETAG)).toBe(true);
    expect(() => isUnchanged({ 'if-match': header }, NO_ETAG)).toThrow(VersionMismatchError);
  });
});
