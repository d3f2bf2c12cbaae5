import { MessageSplitter } from './message-splitter.js';

function message(size: number, fill: number): Buffer {
  const bytes = Buffer.alloc(size, fill);
  bytes.writeInt32LE(size, 0);
  return bytes;
}

describe('splitting a stream', () => {
  const stream = Buffer.concat([message(16, 1), message(100, 2), message(17, 3)]);

  it.each([1, 3, 16, 50, 1000])('gives the same messages in chunks of %s bytes', (size) => {
    const splitter = new MessageSplitter();
    const found: Buffer[] = [];
    for (let offset = 0; offset < stream.length; offset += size) {
      found.push(...splitter.push(stream.subarray(offset, offset + size)));
    }
    expect(found).toEqual([message(16, 1), message(100, 2), message(17, 3)]);
  });

  it.each([15, 48_000_001, -1])('refuses a length of %s', (length) => {
    const head = Buffer.alloc(4);
    head.writeInt32LE(length, 0);
    expect(() => [...new MessageSplitter().push(head)]).toThrow(/length/);
  });
});
