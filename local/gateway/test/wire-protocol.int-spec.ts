import { startGateway } from './support/gateway-process.js';
import type { GatewayProcess } from './support/gateway-process.js';
import { RawClient } from './support/raw-client.js';

const MORE_TO_COME = 2;
const DB = 'gateway_test_wire';

describe('wire protocol', () => {
  let gateway: GatewayProcess;
  let raw: RawClient;

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(async () => {
    const cleaner = await RawClient.open(gateway.port);
    await cleaner.command({ dropDatabase: 1, $db: DB });
    cleaner.close();
    await gateway.stop();
  });
  beforeEach(async () => {
    raw = await RawClient.open(gateway.port);
  });
  afterEach(() => raw.close());

  it('answers a legacy hello in the legacy opcode', async () => {
    raw.sendQuery('admin.$cmd', { ismaster: 1, helloOk: true });
    const { opCode, document } = await raw.receive();
    expect(opCode).toBe(1);
    expect(document).toMatchObject({ ok: 1, ismaster: true, helloOk: true, msg: 'isdbgrid' });
  });

  it('announces sessions and limits, and nothing that makes drivers wait for changes', async () => {
    const hello = await raw.command({ hello: 1, $db: 'admin' });
    expect(hello).toMatchObject({
      isWritablePrimary: true,
      maxWireVersion: 21,
      logicalSessionTimeoutMinutes: 30,
      maxBsonObjectSize: 16 * 1024 * 1024,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 25_000,
    });
    expect(hello).not.toHaveProperty('topologyVersion');
  });

  it('answers an unknown command as mongod does', async () => {
    const reply = await raw.command({ frobnicate: 1, $db: 'admin' });
    expect(reply).toMatchObject({
      ok: 0,
      code: 59,
      codeName: 'CommandNotFound',
      errmsg: "no such command: 'frobnicate'",
    });
  });

  it('refuses a command without a database', async () => {
    expect(await raw.command({ ping: 1 })).toMatchObject({ ok: 0, code: 40571 });
  });

  it('refuses an impossible database name', async () => {
    expect(await raw.command({ ping: 1, $db: 'a.b' })).toMatchObject({ ok: 0, code: 73 });
  });

  it('reads documents from a sequence section', async () => {
    const sequences = { documents: [{ _id: 1 }, { _id: 2 }] };
    expect(await raw.command({ insert: 'sequence', $db: DB }, { sequences })).toMatchObject({ ok: 1, n: 2 });
  });

  it('accepts a message with a checksum', async () => {
    expect(await raw.command({ ping: 1, $db: 'admin' }, { checksum: true })).toMatchObject({ ok: 1 });
  });

  it('sends no reply to an unacknowledged write, and has made it before the next command', async () => {
    raw.send({ insert: 'unacknowledged', documents: [{ _id: 1 }], $db: DB }, { flags: MORE_TO_COME });
    expect(await raw.command({ count: 'unacknowledged', $db: DB })).toMatchObject({ ok: 1, n: 1 });
  });

  it('answers many commands sent at once in their order', async () => {
    const replies = Array.from({ length: 50 }, (_, n) =>
      raw.command({ insert: 'order', documents: [{ _id: n }], $db: DB }),
    );
    expect((await Promise.all(replies)).every(({ n }) => n === 1)).toBe(true);
  });

  it('hangs up on a length that cannot be', async () => {
    const closed = new Promise((resolve) => raw.socket.once('close', resolve));
    raw.socket.write(Buffer.from([1, 0, 0, 0]));
    await closed;
  });

  it('refuses flags it does not know', async () => {
    const closed = new Promise((resolve) => raw.socket.once('close', resolve));
    raw.send({ ping: 1, $db: 'admin' }, { flags: 1 << 5 });
    await closed;
  });

  it.each([
    'buildInfo',
    'connectionStatus',
    'hostInfo',
    'whatsmyuri',
    'getCmdLineOpts',
    'serverStatus',
    'startSession',
  ])('answers %s', async (name) => {
    expect(await raw.command({ [name]: 1, $db: 'admin' })).toMatchObject({ ok: 1 });
  });

  it('knows the parameters drivers ask for, and says so of others', async () => {
    const known = await raw.command({ getParameter: 1, featureCompatibilityVersion: 1, $db: 'admin' });
    expect(known).toMatchObject({ ok: 1, featureCompatibilityVersion: { version: '7.0' } });
    expect(await raw.command({ getParameter: 1, nonsense: 1, $db: 'admin' })).toMatchObject({ ok: 0, code: 72 });
  });
});
