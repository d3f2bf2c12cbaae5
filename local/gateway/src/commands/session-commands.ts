import { randomUUID } from 'node:crypto';
import { UUID } from 'bson';
import { MongoError } from '../errors.js';
import type { CommandRequest } from '../command-request.js';
import { SESSION_TIMEOUT_MINUTES } from '../sessions.js';
import { noSuchTransaction } from '../transactions.js';
import type { CommandContext, CommandHandler } from './command.js';
import { reply } from './command.js';

export const startSession: CommandHandler = async () =>
  reply({ id: { id: new UUID(randomUUID()) }, timeoutMinutes: SESSION_TIMEOUT_MINUTES });

export const endSessions: CommandHandler = async ({ request, services }) => {
  await services.sessions.end(sessionIds(request));
  return reply({});
};

export const killAllSessions: CommandHandler = async ({ services }) => {
  await services.sessions.end(services.sessions.allIds());
  return reply({});
};

export const refreshSessions: CommandHandler = async ({ request, services }) => {
  services.sessions.refresh(sessionIds(request));
  return reply({});
};

function sessionIds(request: CommandRequest): string[] {
  const list = request.body.document(request.name);
  return (list?.elements ?? []).flatMap(({ name }) => list!.document(name)?.binary('id')?.toString('hex') ?? []);
}

export const commitTransaction: CommandHandler = async (context) => {
  const transaction = requireTransaction(context);
  const state = await transaction.commit();
  if (state === 'committed') return reply({});
  if (state === 'unknown') {
    throw new MongoError('HostUnreachable', 'PostgreSQL went away while committing')
      .withLabel('UnknownTransactionCommitResult')
      .withLabel('RetryableWriteError');
  }
  throw noSuchTransaction(transaction.number);
};

export const abortTransaction: CommandHandler = async (context) => {
  const transaction = requireTransaction(context);
  if (transaction.state === 'committed') {
    throw new MongoError(
      'TransactionCommitted',
      `Transaction with { txnNumber: ${transaction.number} } has been committed.`,
    );
  }
  if (transaction.state === 'aborted') throw noSuchTransaction(transaction.number);
  await transaction.abort();
  return reply({});
};

function requireTransaction({ request, transaction }: CommandContext): NonNullable<CommandContext['transaction']> {
  if (request.db !== 'admin') {
    throw new MongoError('Unauthorized', `${request.name} may only be run against the admin database.`);
  }
  if (!transaction) throw new MongoError('InvalidOptions', `${request.name} must be run within a transaction`);
  return transaction;
}
