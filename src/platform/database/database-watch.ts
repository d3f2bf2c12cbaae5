import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import { type Connection, mongo } from 'mongoose';
import { OUT_OF_DISK_SPACE } from '../../common/errors/database-unreachable.js';
import { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import { databaseTls } from './connection.js';
import { readDatabaseClock } from './database-clock.js';

/** A small collection that every process has. */
const RECURRING_JOBS = 'recurringjobs';
const TICK_MS = 250;
/** After so many ticks without an answer it sends a query of its own: half a second. */
const QUIET_TICKS = 2;
/** After so many ticks without an answer MongoDB counts as silent: 1.75 s. */
const SILENT_TICKS = 7;
/** An answer that is younger needs no new question, in milliseconds. */
const RECENT_MS = 1000;
/** How often the database is asked for its time, in milliseconds. */
const CLOCK_EVERY_MS = 1000;
/** A disk without space counts as full for so long after a write has failed, in milliseconds: work of ours writes more often. */
const FULL_MS = 15_000;
/** Short, so that neither a server that is gone nor a connection that leads nowhere keeps it from asking again. */
const TIMEOUTS = { serverSelectionTimeoutMS: 1000, connectTimeoutMS: 2000, socketTimeoutMS: 2000 };

/**
 * Knows whether MongoDB answers. Any answer to this process counts, so a slow server doesn't count as one that
 * hangs. After some time without an answer it sends a query of its own, on a connection of its own: in a pool whose connections
 * are all in use the query would wait. It reads a document, which exercises more of the server than a ping. The answers also
 * adjust `databaseClock`.
 */
@Injectable()
export class DatabaseWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(DatabaseWatch.name);
  private readonly client: mongo.MongoClient;
  private readonly listeners: (() => void)[] = [];
  private question?: Promise<boolean>;
  private timer?: NodeJS.Timeout;
  /** Counted in ticks, not by the clock: a busy process may not have read the answer yet. */
  private ticksWithoutAnswer = 0;
  /** By `performance.now()`. */
  private answeredAt = -Infinity;
  /** When a write last found no space, by `performance.now()`. */
  private fullAt = -Infinity;
  /** When the database was last asked for its time, by `performance.now()`. */
  private clockReadAt = -Infinity;
  private readingClock = false;

  constructor(
    @InjectConnection() private readonly connection: Connection,
    environment: DatabaseEnvironment,
  ) {
    this.client = new mongo.MongoClient(environment.MONGODB_URI, {
      ...databaseTls(environment),
      ...TIMEOUTS,
      minPoolSize: 0,
      maxPoolSize: 1,
    });
  }

  onApplicationBootstrap(): void {
    const client = this.connection.getClient();
    client.on('commandSucceeded', ({ reply }) => {
      this.noteAnswer();
      const { writeErrors } = (reply ?? {}) as { writeErrors?: { code: unknown }[] };
      writeErrors?.forEach(({ code }) => this.noteFailure(code));
    });
    client.on('commandFailed', ({ failure }) => this.noteFailure((failure as { code?: unknown }).code));
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.client.close();
  }

  /** Whether MongoDB has given no answer for longer than a request should wait for one. */
  private get isSilent(): boolean {
    return this.ticksWithoutAnswer >= SILENT_TICKS;
  }

  /** Calls `listener` again and again while MongoDB is silent. */
  whileSilent(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Resolves at once if MongoDB has answered recently, else when it answers. */
  async answers(): Promise<boolean> {
    return performance.now() - this.answeredAt < RECENT_MS || (await this.ask());
  }

  /** Whether writes find no space on MongoDB's disk, as far as this process has seen. Reads are still answered. */
  get isFull(): boolean {
    return performance.now() - this.fullAt < FULL_MS;
  }

  private ask(): Promise<boolean> {
    this.question ??= this.find().finally(() => (this.question = undefined));
    return this.question;
  }

  private async find(): Promise<boolean> {
    try {
      await this.client
        .db()
        .collection(RECURRING_JOBS)
        .findOne({}, { projection: { _id: 1 } });
    } catch {
      return false;
    }
    this.noteAnswer();
    return true;
  }

  private async readClock(): Promise<void> {
    if (this.readingClock || performance.now() - this.clockReadAt < CLOCK_EVERY_MS) return;
    this.readingClock = true;
    this.clockReadAt = performance.now();
    // Without an answer the clock goes on by the monotonic clock, and the silence is noticed anyway.
    await readDatabaseClock(this.client.db()).catch(() => undefined);
    this.readingClock = false;
  }

  private noteAnswer(): void {
    if (this.isSilent) this.logger.log('MongoDB answers again');
    this.ticksWithoutAnswer = 0;
    this.answeredAt = performance.now();
  }

  private noteFailure(code: unknown): void {
    if (code !== OUT_OF_DISK_SPACE) return;
    if (!this.isFull) this.logger.error("MongoDB's disk is full: requests that write are answered 503 meanwhile");
    this.fullAt = performance.now();
  }

  private tick(): void {
    this.ticksWithoutAnswer++;
    void this.readClock();
    if (this.ticksWithoutAnswer >= QUIET_TICKS) void this.ask();
    if (this.ticksWithoutAnswer === SILENT_TICKS) {
      this.logger.warn('MongoDB does not answer: requests that wait for it are answered 503 meanwhile');
    }
    if (this.isSilent) this.listeners.forEach((listener) => listener());
  }
}
