import { isDatabaseUnreachable } from './database-unreachable.js';

const error = (name: string, code?: unknown) => Object.assign(new Error('of the driver'), { name, code });

describe('isDatabaseUnreachable', () => {
  it.each([
    ['a lost connection', error('MongoNetworkError')],
    ['a connection lost in an insertMany', error('MongoBulkWriteError')],
    ['an insertMany at a server that shuts down', error('MongoBulkWriteError', 11600)],
    ['a cluster whose shard is gone', error('MongoServerError', 6)],
    ['a server that shuts down', error('MongoServerError', 11600)],
    ['a server whose disk is full', error('MongoServerError', 14031)],
    ['an insertMany at a server whose disk is full', error('MongoBulkWriteError', 14031)],
    ['a primary that is none any more', error('MongoServerError', 10107)],
  ])('says so of %s', (_, thrown) => {
    expect(isDatabaseUnreachable(thrown)).toBe(true);
  });

  it.each([
    ['a duplicate key', error('MongoServerError', 11000)],
    ['a duplicate key in an insertMany', error('MongoBulkWriteError', 11000)],
    ['a fault inside the server', error('MongoServerError', 1)],
    ['an error of ours with such a number', error('Error', 6)],
    ['nothing', undefined],
  ])('says no such thing of %s', (_, thrown) => {
    expect(isDatabaseUnreachable(thrown)).toBe(false);
  });
});
