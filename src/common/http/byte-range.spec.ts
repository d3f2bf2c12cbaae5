import { byteRangeOf, RangeNotSatisfiableError } from './byte-range.js';

const ETAG = '"abc"';
const SIZE = 100;

describe('byteRangeOf', () => {
  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=90-', 90, 99],
    ['bytes=99-1000', 99, 99],
    ['bytes=-1', 99, 99],
    ['bytes=-1000', 0, 99],
    ['Bytes= 0 - 9', 0, 9],
  ])('%s are the bytes %d to %d', (range, start, end) => {
    expect(byteRangeOf({ range }, SIZE, ETAG)).toEqual({ start, end });
    expect(byteRangeOf({ range, 'if-range': ETAG }, SIZE, ETAG)).toEqual({ start, end });
  });

  it.each([undefined, '', 'bytes=-', 'bytes=19-10', 'bytes=0-9,20-29', 'lines=1-2', 'bytes=a-b', 'bytes 0-9'])(
    '%s asks for the whole file',
    (range) => {
      expect(byteRangeOf(range === undefined ? {} : { range }, SIZE, ETAG)).toBeNull();
    },
  );

  it.each(['"other"', 'W/"abc"', 'Tue, 01 Jan 1980 00:00:00 GMT'])('is the whole file if it is not %s', (ifRange) => {
    expect(byteRangeOf({ range: 'bytes=0-9', 'if-range': ifRange }, SIZE, ETAG)).toBeNull();
  });

  it.each(['bytes=100-', 'bytes=100-200', 'bytes=99999999999999999999-', 'bytes=-0'])('%s is refused', (range) => {
    expect(() => byteRangeOf({ range }, SIZE, ETAG)).toThrow(new RangeNotSatisfiableError('bytes */100'));
  });
});
