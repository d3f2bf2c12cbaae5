import { Logger } from '@nestjs/common';
import { ProcessEnvironment } from '../../src/config/areas/process.environment.js';
import type { SmsEnvironment } from '../../src/config/areas/sms.environment.js';
import {
  DeliveryDelayedError,
  DeliveryRefusedError,
} from '../../src/modules/notifications/deliveries/delivery-errors.js';
import { LogDriver } from '../../src/modules/notifications/sms/log-driver.js';
import { SmsChannel } from '../../src/modules/notifications/sms/sms-channel.js';
import { TwilioDriver } from '../../src/modules/notifications/sms/twilio-driver.js';
import { WebhookDriver } from '../../src/modules/notifications/sms/webhook-driver.js';
import type { OneTimeSecrets } from '../../src/platform/messaging/one-time-secrets.js';
import { ClaimLost } from '../../src/platform/work/claim.js';
import { heldClaim, lostClaim } from '../support/claims.js';
import { type Reply, type StandIn, startStandIn } from '../support/http-stand-in.js';

type Delivery = Parameters<SmsChannel['send']>[0];
type Contact = NonNullable<Parameters<SmsChannel['send']>[1]>;

const SMS = { id: '665f1c2e9b1d4a3f8c7e6d5b', to: '+436601234567', text: '“Tea & cake” is done.' };
const SID = `AC${'0'.repeat(32)}`;

let reply: Reply;
let provider: StandIn;
beforeAll(async () => {
  provider = await startStandIn(() => reply);
});
afterAll(() => provider.close());

const twilio = (from = '+15005550006') =>
  new TwilioDriver({ apiUrl: provider.url, sid: SID, token: 'an-auth-token', from });

/** What it throws. */
async function failureOf(sending: Promise<unknown>): Promise<unknown> {
  return await sending.then(
    () => 'none',
    (error: unknown) => error,
  );
}

describe('Twilio', () => {
  it('is asked as its API wants it', async () => {
    reply = { status: 201, body: '{"sid":"SM1","status":"queued"}' };
    expect(await twilio().send(SMS)).toBe('delivered');
    const { method, path, headers, body } = provider.received.at(-1) ?? {};
    expect([method, path]).toEqual(['POST', `/2010-04-01/Accounts/${SID}/Messages.json`]);
    expect(headers?.authorization).toBe(`Basic ${Buffer.from(`${SID}:an-auth-token`).toString('base64')}`);
    expect(headers?.['content-type']).toBe('application/x-www-form-urlencoded');
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({ To: SMS.to, From: '+15005550006', Body: SMS.text });
  });

  it('sends by a messaging service where there is one', async () => {
    reply = { status: 201, body: '{}' };
    const service = `MG${'0'.repeat(32)}`;
    await twilio(service).send(SMS);
    const form = new URLSearchParams(provider.received.at(-1)?.body);
    expect([form.get('MessagingServiceSid'), form.get('From')]).toEqual([service, null]);
  });

  it.each([
    [400, 21211, 'no-receiver'],
    [400, 21610, 'no-receiver'],
    [400, 21617, 'refused'],
    [400, 0, 'refused'],
  ])('refuses for good with %i and code %i: %s', async (status, code, reason) => {
    reply = { status, body: JSON.stringify({ code, message: `The 'To' number ${SMS.to} is not valid` }) };
    const failure = (await failureOf(twilio().send(SMS))) as DeliveryRefusedError;
    expect(failure).toBeInstanceOf(DeliveryRefusedError);
    expect(failure.reason).toBe(reason);
    expect(failure.message).not.toContain(SMS.to);
  });

  it.each([
    [401, 20003],
    [404, 20404],
    [429, 20429],
    [500, 0],
    [503, 0],
    [400, 21606],
  ])('is tried again after %i with code %i, and everything else waits, too', async (status, code) => {
    reply = { status, body: JSON.stringify({ code }), headers: { 'Retry-After': '7' } };
    const failure = (await failureOf(twilio().send(SMS))) as DeliveryDelayedError;
    expect(failure).toBeInstanceOf(DeliveryDelayedError);
    expect(failure).toMatchObject({ reason: 'unreachable', faultOf: 'carrier' });
    if (status !== 400) expect(failure.retryAfterMs).toBe(7000);
  });
});

it('a provider that can’t be reached, or answers with a redirect, is tried again and followed nowhere', async () => {
  const gone = new WebhookDriver('http://127.0.0.1:9/', Buffer.alloc(32).toString('base64'));
  expect(await failureOf(gone.send(SMS))).toBeInstanceOf(DeliveryDelayedError);
  reply = { status: 302, headers: { Location: `${provider.url}/elsewhere` } };
  const moved = new WebhookDriver(provider.url, Buffer.alloc(32).toString('base64'));
  expect(await failureOf(moved.send(SMS))).toBeInstanceOf(DeliveryDelayedError);
  expect(provider.received.filter(({ path }) => path === '/elsewhere')).toEqual([]);
});

it('an SMS that another process has taken over during a pause is not sent', async () => {
  const webhook = { SMS_DRIVER: 'webhook', SMS_WEBHOOK_URL: provider.url, SMS_WEBHOOK_SECRET: 'c2VjcmV0' };
  const noSecrets = {} as OneTimeSecrets; // the message has none
  const channel = new SmsChannel(
    { ...webhook, SMS_COUNTRIES: ['*'] } as unknown as SmsEnvironment,
    new ProcessEnvironment(),
    noSecrets,
  );
  const delivery = { _id: SMS.id, event: 'task.completed', data: { title: 'T' }, to: SMS.to, token: null } as unknown;
  const contact = { name: 'Ada', emailVerified: true } as Contact;
  const before = provider.received.length;
  expect(await failureOf(channel.send(delivery as Delivery, contact, lostClaim()))).toBeInstanceOf(ClaimLost);
  expect(provider.received).toHaveLength(before);
  reply = { status: 202 };
  expect(await channel.send(delivery as Delivery, contact, heldClaim())).toBe('delivered');
});

describe('the log', () => {
  const lines: string[] = [];
  const silent = () => undefined;
  const keep = (message: string) => void lines.push(message);
  beforeAll(() => {
    Logger.overrideLogger({ log: keep, warn: keep, error: silent });
  });
  afterEach(() => void lines.splice(0));

  it('holds the message in development', async () => {
    expect(await new LogDriver(false).send(SMS)).toBe('delivered');
    expect(lines).toEqual([`SMS to ${SMS.to}: ${SMS.text}`]);
  });

  it('holds neither number nor text in production, and nothing counts as delivered', async () => {
    expect(await new LogDriver(true).send(SMS)).toBe('skipped');
    expect(lines.join()).toMatch(/no SMS is sent.*was not sent/);
    expect(lines.join()).not.toContain(SMS.to);
    expect(lines.join()).not.toContain('cake');
  });
});
