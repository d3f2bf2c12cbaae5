import { serialize } from 'bson';
import type { Document } from 'bson';
import type { CommandRequest } from '../command-request.js';
import type { Executor } from '../executor.js';
import type { Services } from '../services.js';
import type { Transaction } from '../transactions.js';

export interface CommandContext {
  services: Services;
  request: CommandRequest;
  /** Where the command's statements run: the shared pool, or its transaction's connection. */
  executor: Executor;
  transaction: Transaction | null;
  client: { id: number; address: string };
}

/** Answers one command with the BSON of its reply; throws for a reply with `ok: 0`. */
export type CommandHandler = (context: CommandContext) => Promise<Buffer>;

export interface Command {
  run: CommandHandler;
  /** mongod refuses all others inside a multi-document transaction. */
  inTransaction?: boolean;
}

export function reply(document: Document): Buffer {
  return Buffer.from(serialize({ ...document, ok: 1 }));
}

/** First column of the only row. */
export function onlyValue(rows: readonly (Buffer | null)[][]): Buffer {
  const value = rows[0]?.[0];
  if (!value) throw new Error('the engine gave no reply');
  return value;
}
