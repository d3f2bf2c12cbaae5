import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { PgConnectionError, PgError, SESSION_ENDING_STATES } from './pg-error.js';
import {
  FLUSH,
  SYNC,
  TERMINATE,
  bindAndExecute,
  cancelRequest,
  parseDataRow,
  parseErrorFields,
  parseMessage,
  startupMessage,
} from './protocol.js';
import type { PgParameter } from './protocol.js';

export interface PgAddress {
  host: string;
  port: number;
  user: string;
  database: string;
}

export interface PgStatement {
  text: string;
  parameters?: readonly PgParameter[];
  /** The text is not one of the few that come again and again, so it is not kept prepared. */
  isOneOff?: boolean;
  /** Receives this statement's rows as soon as it is done, even if one behind it fails or the connection dies. */
  onRows?: (rows: PgRow[]) => void;
}

export type PgRow = (Buffer | null)[];

export interface PgResult {
  rows: PgRow[];
  /** PostgreSQL's command tag, such as `COMMIT`. */
  tag: string;
}

interface Batch {
  statements: readonly PgStatement[];
  results: PgResult[];
  rows: PgRow[];
  parsing: string[];
  error: PgError | null;
  resolve(results: PgResult[]): void;
  reject(error: Error): void;
}

/** Settings of every session, sent with the start-up message so that they cost no round trip. */
const SESSION_SETTINGS = {
  application_name: 'mongodb-gateway',
  client_encoding: 'UTF8',
  client_min_messages: 'error',
  jit: 'off',
  deadlock_timeout: '50ms',
  'documentdb.alternate_index_handler_name': 'extended_rum',
  'documentdb.useFileBasedPersistedCursors': 'on',
};

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * One session of PostgreSQL that runs one batch of prepared statements at a time.
 *
 * Why not a general client: BSON goes in and comes out as bytes (binary format both ways, where hex text costs
 * twice the size and a conversion at both ends), and a batch is one round trip and one implicit transaction,
 * which carries BEGIN in front of a command for free.
 *
 * Only `trust` authentication is spoken: the engine listens on loopback for this gateway alone.
 */
export class PgConnection {
  /** I idle, T in a transaction, E in a failed one; from the last ReadyForQuery. */
  transactionStatus = 'I';
  isOpen = false;
  /** In effect outside transactions, in ms; 0: none. */
  statementTimeoutMs = 0;
  private batch: Batch | null = null;
  private chunks: Buffer[] = [];
  private buffered = 0;
  private wanted = 0;
  private readonly prepared = new Set<string>();
  private processId = 0;
  private secret = Buffer.alloc(0);
  private onReady: ((error: Error | null) => void) | null = null;
  private closeListeners: (() => void)[] = [];

  private constructor(
    private readonly socket: Socket,
    private readonly address: PgAddress,
  ) {}

  /** @throws PgConnectionError when nobody listens, PgError when the server turns the session away. */
  static async open(address: PgAddress): Promise<PgConnection> {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const connection = new PgConnection(socket, address);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(new Error('timed out')), CONNECT_TIMEOUT_MS);
      connection.onReady = (error) => {
        clearTimeout(timer);
        connection.onReady = null;
        if (error) reject(error);
        else resolve();
      };
      socket.on('connect', () => {
        const { user, database } = address;
        socket.write(startupMessage({ user, database, ...SESSION_SETTINGS }));
      });
      socket.on('data', (chunk) => connection.receive(chunk));
      socket.on('error', (error) => connection.end(error.message));
      socket.on('close', () => connection.end('connection closed'));
    });
    return connection;
  }

  /**
   * Sends the statements in one go and gives back their results. Outside BEGIN they are one transaction:
   * all of them or none.
   * @throws PgError for the first statement that failed (those behind it did not run), PgConnectionError
   */
  run(statements: readonly PgStatement[]): Promise<PgResult[]> {
    if (!this.isOpen) return Promise.reject(new PgConnectionError('connection is closed', false));
    if (this.batch) return Promise.reject(new Error('a batch is already running on this connection'));
    return new Promise((resolve, reject) => {
      this.batch = { statements, results: [], rows: [], parsing: [], error: null, resolve, reject };
      this.socket.cork();
      for (const statement of statements) this.write(statement);
      this.socket.write(SYNC);
      this.socket.uncork();
    });
  }

  /**
   * Sets the limit of each statement that follows, in ms; 0: none. A batch of its own: the engine loses the cursor of a
   * statement that isn't the only one of its transaction.
   */
  async limitStatements(timeoutMs: number): Promise<void> {
    if (timeoutMs === this.statementTimeoutMs) return;
    await this.run([statementTimeout(timeoutMs, false)]);
    this.statementTimeoutMs = timeoutMs;
  }

  private write({ text, parameters = [], onRows, isOneOff = false }: PgStatement): void {
    const { parsing } = this.batch!;
    const name = isOneOff ? '' : statementName(text);
    if (isOneOff || (!this.prepared.has(text) && !parsing.includes(text))) {
      parsing.push(text);
      this.socket.write(parseMessage(name, text));
    }
    this.socket.write(bindAndExecute(name, parameters));
    if (onRows) this.socket.write(FLUSH);
  }

  /** Asks the server to give up the statement that runs now; its batch then fails with 57014. */
  cancel(): void {
    const socket = connect({ host: this.address.host, port: this.address.port });
    socket.on('error', () => socket.destroy());
    socket.end(cancelRequest(this.processId, this.secret));
  }

  onClose(listener: () => void): void {
    this.closeListeners.push(listener);
  }

  /** Takes leave of the server; a batch that still runs fails. */
  close(): void {
    if (!this.isOpen) return;
    this.socket.end(TERMINATE);
    this.finish('connection closed by the gateway');
  }

  private end(reason: string): void {
    this.socket.destroy();
    this.finish(reason);
  }

  private finish(reason: string): void {
    const { batch, isOpen: wasOpen } = this;
    this.isOpen = false;
    this.batch = null;
    this.onReady?.(new PgConnectionError(`PostgreSQL cannot be reached: ${reason}`, false));
    batch?.reject(new PgConnectionError(`lost PostgreSQL: ${reason}`, true));
    if (wasOpen) for (const listener of this.closeListeners) listener();
  }

  private receive(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    if (this.buffered < this.wanted) return;
    const data = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.buffered);
    let offset = 0;
    this.wanted = 0;
    while (data.length - offset >= 5) {
      const end = offset + 1 + data.readInt32BE(offset + 1);
      if (end > data.length) {
        this.wanted = end - offset;
        break;
      }
      this.handle(String.fromCharCode(data[offset]!), data.subarray(offset + 5, end));
      offset = end;
    }
    this.buffered = data.length - offset;
    this.chunks = this.buffered > 0 ? [data.subarray(offset)] : [];
  }

  private handle(type: string, body: Buffer): void {
    switch (type) {
      case 'D':
        this.batch?.rows.push(parseDataRow(body));
        break;
      case 'C':
        this.completeStatement(body.toString('utf8', 0, body.length - 1));
        break;
      case '1':
        this.completeParse();
        break;
      case 'E':
        this.fail(new PgError(parseErrorFields(body)));
        break;
      case 'Z':
        this.ready(String.fromCharCode(body[0]!));
        break;
      case 'K':
        this.processId = body.readInt32BE(0);
        this.secret = Buffer.from(body.subarray(4));
        break;
      case 'R':
        if (body.readInt32BE(0) !== 0) this.end('it asks for a password; the gateway speaks trust authentication only');
        break;
    }
  }

  private completeParse(): void {
    const text = this.batch?.parsing.shift();
    if (text !== undefined && names.has(text)) this.prepared.add(text);
  }

  private completeStatement(tag: string): void {
    const { batch } = this;
    if (!batch) return;
    const { rows } = batch;
    batch.rows = [];
    batch.statements[batch.results.length]?.onRows?.(rows);
    batch.results.push({ rows, tag });
  }

  private fail(error: PgError): void {
    if (SESSION_ENDING_STATES.has(error.sqlState)) return this.end(error.message);
    if (this.batch) this.batch.error ??= error;
    else if (this.onReady) {
      this.onReady(error);
      this.end(error.message);
    }
  }

  private ready(status: string): void {
    this.transactionStatus = status;
    if (this.onReady) {
      this.isOpen = true;
      this.onReady(null);
      return;
    }
    const { batch } = this;
    this.batch = null;
    if (batch?.error) batch.reject(batch.error);
    else batch?.resolve(batch.results);
  }
}

/** @param isLocal whether it is in effect until the transaction ends, or for the connection */
export function statementTimeout(milliseconds: number, isLocal: boolean): PgStatement {
  const text = `select set_config('statement_timeout', $1, ${isLocal})`;
  return { text, parameters: [String(milliseconds)] };
}

const names = new Map<string, string>();

/** The same text has the same name on every connection; the texts are the gateway's own, so they are few. */
function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `s${names.size}`;
    names.set(text, name);
  }
  return name;
}
