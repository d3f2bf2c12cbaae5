import { setTimeout as delay } from 'node:timers/promises';
import { type Collection, ObjectId } from 'mongodb';
import { databaseOf } from '../support/database.js';
import { startService, type TestService } from '../support/service.js';
import { type SmtpStandIn, startSmtpStandIn, type Step } from '../support/smtp-stand-in.js';
import { waitFor } from '../support/wait-for.js';

interface DeliveryRow {
  _id: ObjectId;
  to: string;
  state: string;
  attempts: number;
  lastError: string | null;
  lease: string | null;
  availableAt: Date;
}

/** Longer than a careless client waits for the answer to a message: a socket's usual half minute. */
const SLOW_ANSWER_MS = 33_000;

let smtp: SmtpStandIn;
let service: TestService;
let deliveries: Collection<DeliveryRow>;
/** Sent before everything else, since it takes its time. */
let slow: string;
let openGate: () => void;
const gate = new Promise<'accept'>((resolve) => (openGate = () => resolve('accept')));

/** Domains that behave as their name says. */
const RECIPIENTS: Record<string, (attempt: number) => Step> = {
  'greylisting.test': (attempt) => (attempt <= 3 ? [451, 'EvilServer: come back later'] : 'accept'),
  'unknown.test': () => [550, 'EvilServer: no such user'],
  'stalling.test': () => 'say nothing',
  'needs-login.test': (attempt) => (attempt === 1 ? [530, 'EvilServer: authentication required'] : 'accept'),
};
const MESSAGES: Record<string, (attempt: number) => Step> = {
  'spam-filter.test': () => [554, 'EvilServer: this is spam'],
  'busy.test': (attempt) => (attempt === 1 ? [452, 'EvilServer: no space'] : 'accept'),
  'breaking.test': (attempt) => (attempt === 1 ? 'hang up' : 'accept'),
  'slow.test': () => delay(SLOW_ANSWER_MS, 'accept' as const),
  'gated.test': () => gate,
};
const domainOf = (address: string) => address.slice(address.indexOf('@') + 1);

beforeAll(async () => {
  smtp = await startSmtpStandIn({
    onRecipient: (address, attempt) => RECIPIENTS[domainOf(address)]?.(attempt) ?? 'accept',
    onMessage: (address, attempt) => MESSAGES[domainOf(address)]?.(attempt) ?? 'accept',
  });
  service = await startService({ SMTP_URL: smtp.url });
  deliveries = databaseOf(service).collection<DeliveryRow>('deliveries');
  [slow = ''] = await send('slow.test');
});
afterAll(() => smtp.close());

/** Mails on their way, as the service leaves them; the address makes up its own name. */
async function send(domain: string, count = 1): Promise<string[]> {
  const addresses = Array.from({ length: count }, () => `${new ObjectId().toHexString()}@${domain}`);
  const now = new Date();
  const rows = addresses.map((to) => ({
    _id: new ObjectId(),
    to,
    user: new ObjectId(),
    notification: null,
    channel: 'email',
    receiver: domain,
    event: 'account.password-reset',
    data: {},
    digestOf: [],
    token: null,
    expiresAt: null,
    deliveredAt: null,
    state: 'ready',
    availableAt: now,
    lease: null,
    attempts: 0,
    lastError: null,
    createdAt: now,
  }));
  await deliveries.insertMany(rows);
  return addresses;
}

const acceptedFor = (to: string) => smtp.accepted.filter((mail) => mail.to === to);

async function ended(to: string, patienceMs?: number): Promise<DeliveryRow> {
  return await waitFor(
    `the end of the mail to ${to}`,
    () => deliveries.findOne({ to, state: { $ne: 'ready' } }),
    patienceMs,
  );
}

describe('a mail', () => {
  it.each([
    ['greylisting.test', 4],
    ['busy.test', 2],
    ['needs-login.test', 2],
  ])('is tried again where %s asks for it, and accepted once', async (domain, attempts) => {
    const [to = ''] = await send(domain);
    expect(await ended(to, 30_000)).toMatchObject({ state: 'done', attempts, lastError: null });
    expect(acceptedFor(to)).toHaveLength(1);
  });

  it('keeps its Message-ID when the connection breaks before the answer', async () => {
    const [to = ''] = await send('breaking.test');
    const { _id, attempts } = await ended(to, 30_000);
    expect(attempts).toBe(2);
    expect(acceptedFor(to).map(({ messageId }) => messageId)).toEqual([`<${_id.toHexString()}@127.0.0.1>`]);
  });

  it.each([
    ['unknown.test', 'no-receiver'],
    ['spam-filter.test', 'refused'],
  ])('ends at once where %s refuses it for good, in words of our own', async (domain, lastError) => {
    const [to = ''] = await send(domain);
    expect(await ended(to)).toMatchObject({ state: 'failed', attempts: 1, lastError });
    expect(service.logs()).toContain('EvilServer');
  });

  it('waits for no other receiver than its own', async () => {
    await send('stalling.test', 30);
    await waitFor(
      'some to be stuck',
      async () => (await deliveries.countDocuments({ receiver: 'stalling.test', lease: { $ne: null } })) === 3,
    );
    const begun = Date.now();
    const addresses = await send('prompt.test', 60);
    await Promise.all(addresses.map((to) => ended(to)));
    const tookMs = Date.now() - begun;
    expect(await deliveries.countDocuments({ receiver: 'stalling.test', state: 'done' })).toBe(0);
    expect(tookMs).toBeLessThan(15_000);
    expect(smtp.accepted.filter(({ to }) => to.endsWith('@prompt.test'))).toHaveLength(60);
  });

  it('is sent by another instance when its own is killed, with the same Message-ID', async () => {
    const doomed = await startService({ SMTP_URL: smtp.url });
    const rows = databaseOf(doomed).collection<DeliveryRow>('deliveries');
    const own = deliveries;
    deliveries = rows;
    const [to = ''] = await send('gated.test');
    await waitFor('it to be claimed', () => rows.findOne({ to, lease: { $ne: null } }));
    await doomed.kill();
    // Instead of waiting for its lease of a minute to run out.
    await rows.updateOne({ to }, { $set: { availableAt: new Date() } });
    openGate();
    await doomed.start();
    const { _id, state } = await ended(to, 30_000);
    deliveries = own;
    expect(state).toBe('done');
    expect(new Set(acceptedFor(to).map(({ messageId }) => messageId))).toEqual(
      new Set([`<${_id.toHexString()}@127.0.0.1>`]),
    );
  });

  it('that is accepted slowly is sent once: the server gets the ten minutes it may take', async () => {
    expect((await ended(slow, SLOW_ANSWER_MS + 20_000)).state).toBe('done');
    expect(acceptedFor(slow)).toHaveLength(1);
  });
});

describe('while the mail server is away', () => {
  it('no mail is lost, none is given up, and each is sent once when it is back', async () => {
    const first = await startSmtpStandIn({});
    await first.close();
    const patient = await startService({ SMTP_URL: `smtp://127.0.0.1:${first.port}` });
    const own = deliveries;
    deliveries = databaseOf(patient).collection<DeliveryRow>('deliveries');
    const addresses = await send('prompt.test', 12);
    await waitFor('the circuit to open', async () =>
      (await (await fetch(`${patient.metricsUrl}/metrics`)).text()).includes(
        'notification_circuits_open{channel="email",party="carrier"} 1',
      ),
    );
    expect(await deliveries.countDocuments({ state: 'ready' })).toBe(12);
    const back = await startSmtpStandIn({}, first.port);
    await Promise.all(addresses.map((to) => ended(to, 55_000)));
    expect(await deliveries.countDocuments({ state: 'done' })).toBe(12);
    expect(back.accepted.map(({ to }) => to).sort()).toEqual(addresses.sort());
    deliveries = own;
    await back.close();
  });
});
