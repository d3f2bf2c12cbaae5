import type { CommandRequest } from './command-request.js';
import type { Command, CommandContext } from './commands/command.js';
import { COMMANDS } from './commands/registry.js';
import { MongoError } from './errors.js';
import { toMongoError } from './error-translation.js';
import { PgConnectionError } from './postgres/pg-error.js';
import type { Services } from './services.js';
import type { Session } from './sessions.js';

/** Codes with which a client may begin a transaction anew. */
const TRANSIENT_CODES = new Set([6, 24, 91, 112, 246, 251, 11600]);

/** Codes after which a retryable write may be sent again. */
const RETRYABLE_CODES = new Set([6, 91, 11600]);

const FINISHING = new Set(['commitTransaction', 'abortTransaction']);

/** Runs one command and gives back the BSON of its reply, whatever happens. */
export async function dispatch(
  services: Services,
  client: CommandContext['client'],
  request: CommandRequest,
): Promise<Buffer> {
  try {
    return await execute(services, client, request);
  } catch (error) {
    return toReply(error, request);
  }
}

async function execute(services: Services, client: CommandContext['client'], request: CommandRequest): Promise<Buffer> {
  const command = COMMANDS.get(request.name);
  if (!command) throw new MongoError('CommandNotFound', `no such command: '${request.name}'`);
  const reference = request.session;
  const session = reference ? services.sessions.use(reference.id, client.id) : null;
  if (session && reference?.inTransaction) return executeInTransaction(services, client, request, command, session);
  const { executor } = services;
  const run = (): Promise<Buffer> => command.run({ services, request, executor, transaction: null, client });
  if (!session || reference!.txnNumber === null) return run();
  return session.runOnce(reference!.txnNumber, run);
}

async function executeInTransaction(
  services: Services,
  client: CommandContext['client'],
  request: CommandRequest,
  command: Command,
  session: Session,
): Promise<Buffer> {
  const reference = request.session!;
  if (!command.inTransaction) {
    throw new MongoError(
      'OperationNotSupportedInTransaction',
      `Cannot run '${request.name}' in a multi-document transaction.`,
    );
  }
  const isFinish = FINISHING.has(request.name);
  const transaction = await services.sessions.transactionFor(session, reference, isFinish);
  try {
    const reply = await command.run({ services, request, executor: transaction, transaction, client });
    if (hasWriteErrors(request, reply)) await transaction.abort();
    return reply;
  } catch (error) {
    if (!isFinish) await transaction.abort();
    throw error;
  }
}

const WRITE_ERRORS = Buffer.from('\u0004writeErrors\0', 'latin1');

/** As in mongod, a transaction is over once one of its writes failed, though that command's reply says ok. */
function hasWriteErrors(request: CommandRequest, reply: Buffer): boolean {
  return (
    (request.name === 'insert' || request.name === 'update' || request.name === 'delete') &&
    reply.includes(WRITE_ERRORS)
  );
}

function toReply(cause: unknown, request: CommandRequest): Buffer {
  const error = toMongoError(cause);
  if (error.code === 1 && !(cause instanceof MongoError)) console.error(`${request.name}: ${error.message}`);
  const reference = request.session;
  if (reference?.inTransaction) {
    const isTransient =
      TRANSIENT_CODES.has(error.code) && error.labels.size === 0 && request.name !== 'abortTransaction';
    if (isTransient) error.withLabel('TransientTransactionError');
  } else if (reference?.txnNumber != null && RETRYABLE_CODES.has(error.code)) {
    const isUntouched = !(cause instanceof PgConnectionError) || !cause.wasSent;
    if (isUntouched) error.withLabel('RetryableWriteError');
  }
  return error.toReply();
}
