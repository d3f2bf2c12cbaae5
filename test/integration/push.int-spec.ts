import { Agent } from 'node:https';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Types } from 'mongoose';
import webPush from 'web-push';
import type { Environment } from '../../src/config/environment.js';
import {
  DeliveryDelayedError,
  DeliveryRefusedError,
} from '../../src/modules/notifications/deliveries/delivery-errors.js';
import { lookupPublic, PublicHttpsAgent } from '../../src/modules/notifications/push/public-https-agent.js';
import { ContactsService } from '../../src/modules/notifications/contacts.service.js';
import { PushChannel } from '../../src/modules/notifications/push/push-channel.js';
import { PushSender } from '../../src/modules/notifications/push/push-sender.js';
import { PushSubscriptionsService } from '../../src/modules/notifications/push/push-subscriptions.service.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { ClaimLost } from '../../src/platform/work/claim.js';
import { type Authority, makeAuthority } from '../support/certificates.js';
import { heldClaim, lostClaim } from '../support/claims.js';
import { type Reply, type StandIn, startStandIn } from '../support/http-stand-in.js';
import { buildParts, deferred, isPending } from '../support/parts.js';
import { newPushKeys } from '../support/push.js';

const { publicKey, privateKey } = webPush.generateVAPIDKeys();
const environment = {
  VAPID_PUBLIC_KEY: publicKey,
  VAPID_PRIVATE_KEY: privateKey,
  MAIL_FROM: 'Scalable API <no-reply@example.org>',
} as Environment;

let authority: Authority;
let service: StandIn;
let reply: Reply;
let trusting: Agent;
beforeAll(async () => {
  authority = makeAuthority('push authority');
  service = await startStandIn(() => reply, authority.issue('push service'));
  // Stands for the internet: reaches this machine, which the agent of the service never does.
  trusting = new Agent({ ca: authority.cert });
});
afterAll(async () => {
  await service.close();
  authority.remove();
});

type Delivery = Parameters<PushChannel['send']>[0];

/** A subscription as the collection holds it. */
const subscriptionAt = (endpoint: string) => ({
  _id: new Types.ObjectId(),
  user: new Types.ObjectId(),
  endpoint,
  keys: newPushKeys(),
  expiresAt: null,
  subscribedAt: new Date(),
});

async function failureOf(sending: Promise<unknown>): Promise<unknown> {
  return await sending.then(
    () => 'none',
    (error: unknown) => error,
  );
}

describe('a push service', () => {
  it('gets the message encrypted, with who sends it, for how long, and what it replaces', async () => {
    reply = { status: 201 };
    await new PushSender(environment, environment, trusting).send(
      subscriptionAt(`${service.url}/p/1`),
      'a secret text',
      'topic1',
    );
    const { method, path, headers, body } = service.received.at(-1) ?? {};
    expect([method, path]).toEqual(['POST', '/p/1']);
    expect(headers).toMatchObject({ ttl: '86400', topic: 'topic1', 'content-encoding': 'aes128gcm' });
    expect(body).not.toContain('secret');
    const [, token = '', key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(headers?.authorization ?? '') ?? [];
    expect(key).toBe(publicKey);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ aud: service.url, sub: 'mailto:no-reply@example.org' });
  });

  it.each<[number, object]>([
    [400, { reason: 'refused' }],
    [403, { reason: 'refused' }],
    [404, { reason: 'no-receiver' }],
    [410, { reason: 'no-receiver' }],
    [413, { reason: 'refused' }],
    [429, { reason: 'busy', faultOf: 'receiver', retryAfterMs: 9000 }],
    [500, { reason: 'unreachable', faultOf: 'receiver' }],
  ])('that answers %i is understood as %j', async (status, expected) => {
    reply = { status, body: 'EvilServer', headers: { 'Retry-After': '9' } };
    const failure = await failureOf(
      new PushSender(environment, environment, trusting).send(subscriptionAt(service.url), 'text', 'topic'),
    );
    expect(failure).toBeInstanceOf(status === 429 || status >= 500 ? DeliveryDelayedError : DeliveryRefusedError);
    expect(failure).toMatchObject(expected);
    expect(String(failure)).not.toContain('EvilServer');
  });

  it('is followed to no other address', async () => {
    reply = { status: 307, headers: { Location: `${service.url}/elsewhere` } };
    const sending = new PushSender(environment, environment, trusting).send(
      subscriptionAt(service.url),
      'text',
      'topic',
    );
    expect(await failureOf(sending)).toMatchObject({ reason: 'refused' });
    expect(service.received.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  it('needs a certificate that is trusted', async () => {
    const sending = new PushSender(environment, environment, new Agent()).send(
      subscriptionAt(service.url),
      'text',
      'topic',
    );
    expect(await failureOf(sending)).toMatchObject({ reason: 'unreachable', faultOf: 'receiver' });
  });
});

describe('the connection', () => {
  let bait: Server;
  let visits = 0;
  let port: number;
  beforeAll(async () => {
    bait = createServer((socket) => {
      visits++;
      socket.destroy();
    }).listen(0);
    await once(bait, 'listening');
    ({ port } = bait.address() as AddressInfo);
  });
  afterAll(() => void bait.close());

  it.each([
    '127.0.0.1',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    '0x7f.1',
    '2130706433',
    '169.254.169.254',
  ])('is never made to %s', async (host) => {
    const sender = new PushSender(environment, environment, new PublicHttpsAgent());
    const failure = await failureOf(sender.send(subscriptionAt(`https://${host}:${port}/`), 'text', 'topic'));
    // As for a name that doesn't exist.
    expect(failure).toBeInstanceOf(DeliveryDelayedError);
    expect(failure).toMatchObject({ reason: 'unreachable', faultOf: 'receiver' });
    expect(visits).toBe(0);
  });

  it.each([true, false])('looks at the very address it connects to (all of them: %s)', async (all) => {
    const [error] = await new Promise<unknown[]>((resolve) => {
      lookupPublic('localhost', { all }, (...answer) => resolve(answer));
    });
    expect(error).toMatchObject({ message: 'the address is not a public one' });
  });
});

describe('a subscription', () => {
  let app: NestFastifyApplication;
  let subscriptions: PushSubscriptionsService;
  beforeAll(async () => {
    app = await buildParts({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey });
    subscriptions = app.get(PushSubscriptionsService, { strict: false });
  });

  it('is taken while the copy of its user is just being made', async () => {
    const user = new Types.ObjectId();
    const contacts = app.get(ContactsService, { strict: false });
    const made = deferred();
    const finish = deferred();
    const account = { name: 'Ada', email: 'a@b.test', emailVerified: false, role: 'user', registeredAt: '' } as const;
    const registering = app.get(Transactions).run(async (session) => {
      await contacts.register(String(user), account, session);
      made.resolve();
      await finish.promise;
    });
    await made.promise;
    const subscribing = subscriptions.add(String(user), { endpoint: service.url, keys: newPushKeys() });
    await isPending(subscribing);
    finish.resolve();
    await Promise.all([registering, subscribing]);
    expect(await subscriptions.findAll(user)).toHaveLength(1);
  });

  it('is taken from each of several users who come with one endpoint at once, and is the last one’s', async () => {
    const users = Array.from({ length: 6 }, () => new Types.ObjectId());
    const endpoint = `${service.url}/shared`;
    await Promise.all(users.map((user) => subscriptions.add(String(user), { endpoint, keys: newPushKeys() })));
    const owners = await Promise.all(users.map((user) => subscriptions.findAll(user)));
    expect(owners.flat()).toHaveLength(1);
  });

  it.each([404, 410])(
    'is removed when its push service answers %i, and kept while it answers anything else',
    async (status) => {
      const user = new Types.ObjectId();
      const { id } = await subscriptions.add(String(user), {
        endpoint: `${service.url}/${status}`,
        keys: newPushKeys(),
      });
      const channel = new PushChannel(subscriptions, new PushSender(environment, environment, trusting));
      const delivery = {
        _id: new Types.ObjectId(),
        user,
        to: id,
        event: 'task.completed',
        data: { title: 'T' },
        notification: null,
      };
      const held = heldClaim();
      reply = { status: 500 };
      await failureOf(channel.send(delivery as unknown as Delivery, null, held));
      expect(await subscriptions.findAll(user)).toHaveLength(1);
      reply = { status };
      // As after a pause in which another process has taken the delivery over: nothing is sent, so nothing is answered.
      const lost = lostClaim();
      await expect(channel.send(delivery as unknown as Delivery, null, lost)).rejects.toBeInstanceOf(ClaimLost);
      expect(await subscriptions.findAll(user)).toHaveLength(1);
      expect(await failureOf(channel.send(delivery as unknown as Delivery, null, held))).toMatchObject({
        reason: 'no-receiver',
      });
      expect(await subscriptions.findAll(user)).toEqual([]);
      expect(await channel.send(delivery as unknown as Delivery, null, held)).toBe('skipped');
    },
  );
});
