import { deserialize, serialize } from 'bson';
import { encodeReply, parseMessage } from './message.js';

function opMsg(flags: number, ...sections: Buffer[]): Buffer {
  const body = Buffer.concat(sections);
  const message = Buffer.alloc(20 + body.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(42, 4);
  message.writeInt32LE(2013, 12);
  message.writeUInt32LE(flags, 16);
  body.copy(message, 20);
  return message;
}

const body = Buffer.concat([Buffer.of(0), serialize({ ping: 1 })]);

function sequence(name: string, ...documents: object[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))]);
  const head = Buffer.alloc(5);
  head[0] = 1;
  head.writeInt32LE(4 + content.length, 1);
  return Buffer.concat([head, content]);
}

describe('messages', () => {
  it('are read with their sequences, whichever comes first', () => {
    const { body: command, sequences } = parseMessage(opMsg(0, sequence('documents', { a: 1 }), body));
    expect(deserialize(command)).toEqual({ ping: 1 });
    expect(sequences.map(({ identifier }) => identifier)).toEqual(['documents']);
  });

  it('that say more is to come expect no reply', () => {
    expect(parseMessage(opMsg(2, body)).expectsReply).toBe(false);
    expect(parseMessage(opMsg(0, body)).expectsReply).toBe(true);
  });

  it('may allow exhaust replies, which need not be given', () => {
    expect(parseMessage(opMsg(1 << 16, body)).expectsReply).toBe(true);
  });

  it('leave the checksum out of the sections', () => {
    expect(parseMessage(opMsg(1, body, Buffer.alloc(4))).sequences).toEqual([]);
  });

  it.each([
    ['an unknown required flag', opMsg(4, body)],
    ['no body', opMsg(0, sequence('documents'))],
    ['two bodies', opMsg(0, body, body)],
    ['a section of an unknown kind', opMsg(0, body, Buffer.concat([Buffer.of(2), serialize({})]))],
    ['a section longer than the message', opMsg(0, body.subarray(0, body.length - 2))],
  ])('are refused for %s', (_name, message) => expect(() => parseMessage(message)).toThrow());

  it('are answered to their sender', () => {
    const reply = encodeReply({ requestId: 42, opCode: 2013 }, Buffer.from(serialize({ ok: 1 })));
    expect(reply.readInt32LE(0)).toBe(reply.length);
    expect(reply.readInt32LE(8)).toBe(42);
    expect(deserialize(reply.subarray(21))).toEqual({ ok: 1 });
  });
});
