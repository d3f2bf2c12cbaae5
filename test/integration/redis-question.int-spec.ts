import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { RedisQuestion } from '../../src/platform/revocation/redis-question.js';
import { waitFor } from '../support/wait-for.js';

const TIMEOUT_MS = 10_000;

let name: string;
let connections: Redis[];
let redis: Redis;
beforeEach(() => {
  name = randomUUID();
  connections = [];
  redis = connect();
});
afterEach(() => connections.forEach((connection) => connection.disconnect()));

function connect(): Redis {
  const connection = new Redis(process.env['TEST_REDIS_URL'] as string);
  connections.push(connection);
  return connection;
}

/** A process that asks. */
async function startAsking(keyIds: string[]): Promise<RedisQuestion> {
  const question = new RedisQuestion(redis, connect(), name, keyIds);
  const replies = async () => ((await redis.pubsub('CHANNELS', `${name}.replies.*`)) as string[]).length;
  const before = await replies();
  question.open(new Map());
  await waitFor('it to hear replies', async () => (await replies()) > before);
  return question;
}

/** A process that answers for a module. */
async function startAnswering(module: string, keyIds: string[], answer: () => Promise<string>): Promise<void> {
  const subscribers = async () => Number((await redis.pubsub('NUMSUB', `${name}.${module}`))[1]);
  const before = await subscribers();
  new RedisQuestion(connect(), connect(), name, keyIds).open(new Map([[module, answer]]));
  await waitFor('it to hear questions', async () => (await subscribers()) > before);
}

it('is answered by a process that has a key in common with the one that asks, and by no other', async () => {
  const asked: string[] = [];
  const answerAs = (who: string) => () => Promise.resolve(`${who} ${asked.push(who)}`);
  await startAnswering('auth', ['of another deployment'], answerAs('stranger'));
  const asking = await startAsking(['old', 'new']);
  await expect(asking.ask('auth', {}, 300)).rejects.toThrow('auth did not answer');
  await startAnswering('users', ['of another deployment'], answerAs('stranger'));
  await startAnswering('users', ['new', 'newest'], answerAs('own'));
  expect(await asking.ask('users', {}, TIMEOUT_MS)).toBe('own 1');
});

it('takes no answer without keys: an earlier release of another deployment answers everybody', async () => {
  const asking = await startAsking(['own']);
  const stranger = connect();
  await stranger.subscribe(`${name}.auth`);
  const answered = new Promise<void>((resolve) => {
    stranger.on('message', (_, message) => {
      const { id, replyTo } = JSON.parse(message) as { id: string; replyTo: string };
      void redis.publish(replyTo, JSON.stringify({ id, answer: 'stranger' })).then(() => resolve());
    });
  });
  await startAnswering('auth', ['own'], () => answered.then(() => 'own'));
  expect(await asking.ask('auth', {}, TIMEOUT_MS)).toBe('own');
});

it('answers a process of an earlier release, which sends no keys', async () => {
  await startAnswering('auth', ['own'], () => Promise.resolve('own'));
  const earlier = connect();
  await earlier.subscribe(`${name}.earlier`);
  const answer = new Promise((resolve) => earlier.on('message', (_, message) => resolve(JSON.parse(message))));
  await redis.publish(`${name}.auth`, JSON.stringify({ id: '1', replyTo: `${name}.earlier`, question: {} }));
  expect(await answer).toMatchObject({ id: '1', answer: 'own' });
});
