import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { connect, type ConsumeMessage } from 'amqplib';
import { ObjectId } from 'mongodb';
import type { SessionPrincipal } from '../../src/common/auth/principal.js';
import { StepUp } from '../../src/platform/step-up/step-up.js';
import type { StepUpDto } from '../../src/platform/step-up/step-up.dto.js';
import { databaseOf } from '../support/database.js';
import { buildParts } from '../support/parts.js';
import { type OwnRabbitMq, startOwnRabbitMq } from '../support/rabbitmq.js';
import { startService, type TestService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { newRegistration, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

/** A step-up in a process that has no passwords, as the users module's is in the split shape. */

const QUEUE = 'scalable-api.auth.step-up';
const CLIENT = { ip: '203.0.113.7', userAgent: 'a browser' };
/** The wait is bounded by two seconds; the rest is for a busy machine. */
const BOUND_MS = 4000;
/** Each account has fewer step-ups under way than its limit of wrong passwords: more would wait for that. */
const FLOOD = { accounts: 3, stepUpsOfEach: 8 };

let broker: OwnRabbitMq;
let proxy: TcpProxy;
let auth: TestService;
let users: NestFastifyApplication;
let ada: TestUser;

beforeAll(async () => {
  broker = await startOwnRabbitMq();
  const address = new URL(broker.url);
  proxy = await startTcpProxy(Number(address.port));
  address.port = String(proxy.port);
  auth = await startService({ MODULES: 'auth', EVENT_BUS: 'rabbitmq', RABBITMQ_URL: broker.url });
  users = await buildParts({
    APP_SECRETS: auth.environment['APP_SECRETS'] as string,
    MODULES: 'users',
    EVENT_BUS: 'rabbitmq',
    RABBITMQ_URL: address.href,
  });
  await users.init();
  ada = await registerUser(auth, newRegistration());
  await waitForAnswers();
}, 300_000);

async function stepUp(proof: StepUpDto, ip = CLIENT.ip, { id } = ada): Promise<unknown> {
  const user = { userId: id, role: 'user' } as SessionPrincipal;
  return await users
    .get(StepUp)
    .require(user, proof, { ...CLIENT, ip })
    .then(
      () => 'done',
      (error: unknown) => error,
    );
}

async function waitForAnswers(): Promise<void> {
  await waitFor('an answer', async () => (await stepUp({ password: ada.password })) === 'done', 60_000);
}

async function expectUnavailable(): Promise<void> {
  const askedAt = Date.now();
  expect(await stepUp({ password: ada.password })).toMatchObject({
    code: 'DEPENDENCY_UNAVAILABLE',
    headers: { 'Retry-After': '1' },
  });
  expect(Date.now() - askedAt).toBeLessThan(BOUND_MS);
}

it('is decided by the process that has the passwords, with the same answers', async () => {
  expect(await stepUp({})).toMatchObject({ code: 'STEP_UP_REQUIRED', members: { methods: ['password'] } });
  expect(await stepUp({ password: 'wrong-horse-battery' })).toMatchObject({ code: 'INVALID_CREDENTIALS', status: 401 });
  expect(await stepUp({ password: ada.password })).toBe('done');
});

it('names the account in the log where the secret of a second factor can not be read', async () => {
  const eve = await registerUser(auth);
  const mfa = { secret: 'v2.unreadable', lastStep: 0, recoveryCodes: [] };
  const _id = new ObjectId(eve.id);
  await databaseOf(auth).collection('accounts').updateOne({ _id }, { $set: { mfa } });
  expect(await stepUp({ password: eve.password, code: '123456' }, CLIENT.ip, eve)).toMatchObject({
    code: 'INTERNAL',
    cause: { message: expect.stringContaining(eve.id) as string },
  });
});

it("takes turns by the client's network, so that a flood from one network delays no other", async () => {
  const flooders = await Promise.all(Array.from({ length: FLOOD.accounts }, () => registerUser(auth)));
  const answers: unknown[] = [];
  const flood = flooders.flatMap((user) =>
    Array.from({ length: FLOOD.stepUpsOfEach }, async () => {
      answers.push(await stepUp({ password: user.password }, '198.51.100.1', user));
    }),
  );
  expect(await stepUp({ password: ada.password }, '203.0.113.8')).toBe('done');
  expect(answers.length).toBeLessThan(flood.length / 2);
  await Promise.all(flood);
  expect(answers).toContain('done');
});

it('is 503 within its bound while the broker is stalled or gone, and works again afterwards', async () => {
  proxy.silence();
  await expectUnavailable();
  proxy.restore();
  await waitForAnswers();
  proxy.cut();
  await expectUnavailable();
  proxy.restore();
  await waitForAnswers();
});

it('shows no password to the broker, and takes no answer that another process made up or repeats', async () => {
  await auth.stop();
  await waitFor('nobody to answer', async () => (await stepUp({ password: ada.password })) !== 'done');
  await expectUnavailable();
  const connection = await connect(broker.url);
  const channel = await connection.createChannel();
  const seen: string[] = [];
  const forged = [JSON.stringify({ to: 'x', problem: null }), 'bm90IGFuIGFuc3dlcg'];
  const onQuestion = ({ content, properties }: ConsumeMessage) => {
    seen.push(content.toString());
    const { sealed } = JSON.parse(content.toString()) as { sealed: string };
    const answer = forged.pop() ?? sealed;
    const correlationId = String(properties.correlationId);
    channel.sendToQueue(String(properties.replyTo), Buffer.from(answer), { correlationId });
  };
  await channel.consume(QUEUE, (message) => message && onQuestion(message), { noAck: true });
  for (let time = 0; time < 3; time++) await expectUnavailable();
  expect(seen).toHaveLength(3);
  expect(seen.join()).not.toContain(ada.password);
  expect(seen.join()).not.toContain(ada.id);
  await connection.close();
  await auth.start();
  await waitForAnswers();
});
