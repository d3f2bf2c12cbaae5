import { mongo } from 'mongoose';
import { isDatabaseUnreachable } from './database-unreachable.js';

const lostConnection = new mongo.MongoNetworkError('of the driver');

function answer(code?: number): mongo.MongoServerError {
  return new mongo.MongoServerError({ message: 'of the server', code });
}

function bulkAnswer(code?: number): mongo.MongoBulkWriteError {
  const written = {} as mongo.BulkWriteResult;
  return new mongo.MongoBulkWriteError({ message: 'of the driver', writeErrors: [], code: code! }, written);
}

/** Its class isn't exported: such errors are told by the class they extend. */
class ErrorOfThePool extends mongo.MongoNetworkError {}

function labelled(label: string): mongo.MongoError {
  const error = new mongo.MongoError('of the driver');
  error.addErrorLabel(label);
  return error;
}

describe('isDatabaseUnreachable', () => {
  it.each([
    ['a lost connection', lostConnection],
    ['a pool of connections that was cleared', new ErrorOfThePool('of the driver')],
    ['an error after which the driver tries again', labelled('RetryableWriteError')],
    ['an error in a handshake', labelled('HandshakeError')],
    ['a closed client', new mongo.MongoClientClosedError()],
    ['a connection lost in an insertMany', bulkAnswer()],
    ['an insertMany at a server that shuts down', bulkAnswer(11600)],
    ['a cluster whose shard is gone', answer(6)],
    ['a server that shuts down', answer(11600)],
    ['a server whose disk is full', answer(14031)],
    ['an insertMany at a server whose disk is full', bulkAnswer(14031)],
    ['a primary that is none any more', answer(10107)],
  ])('says so of %s', (_, thrown) => {
    expect(isDatabaseUnreachable(thrown)).toBe(true);
  });

  it.each([
    ['a conflict of two transactions', labelled('TransientTransactionError')],
    ['a duplicate key', answer(11000)],
    ['a duplicate key in an insertMany', bulkAnswer(11000)],
    ['a fault inside the server', answer(1)],
    ['an error of ours with such a number', Object.assign(new Error('ours'), { code: 6 })],
    ['nothing', undefined],
  ])('says no such thing of %s', (_, thrown) => {
    expect(isDatabaseUnreachable(thrown)).toBe(false);
  });
});
