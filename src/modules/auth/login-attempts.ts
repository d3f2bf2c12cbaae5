import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { sha256 } from '../../common/crypto/digest.js';
import { ProblemError } from '../../common/errors/problem.js';
import { networkOf } from '../../common/http/client-network.js';
import { addressKey } from '../../common/validation/mail-address.js';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import { databaseDate, databaseNow } from '../../platform/database/database-clock.js';
import { isDuplicateKey } from '../../platform/database/duplicate-key.js';
import { AccountLockedError, InvalidCredentialsError } from './auth.errors.js';
import type { Account } from './schemas/account.schema.js';
import { AttemptCounter } from './schemas/attempt-counter.schema.js';

/** While an attempt that may still succeed is this young, later ones wait for its outcome instead of being refused. */
const UNDECIDED_MS = 2000;
const WAIT_STEP_MS = 50;

/** What a step-up can ask for. */
const SECRET_KINDS = ['password', 'code'] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** What an attempt to log in is counted by. */
export interface AttemptSource {
  email: string;
  ip: string;
  /** The device, where its token was accepted for the account of this address. */
  device?: string;
}

interface Limit {
  key: string;
  failures: number;
  refusal: (seconds: number) => ProblemError;
}

/**
 * Limits failed log-ins. An account is locked for the network that fails too often, so that nobody can lock its owner out from
 * elsewhere; for all networks only after many more failures, which a distributed attack causes. A device that has
 * logged in before is counted on its own and not concerned by the failures of others. A network is turned away after as
 * many failures with whichever accounts.
 *
 * An attempt is counted before the password is checked and taken back if it was right, so parallel attempts can't exceed the
 * limit. Addresses are counted whether an account has them or not.
 */
@Injectable()
export class LoginAttempts {
  constructor(
    @InjectModel(AttemptCounter.name) private readonly counters: Model<AttemptCounter>,
    private readonly environment: AuthEnvironment,
  ) {}

  /**
   * Runs an attempt unless its source is locked. It counts as failed where `attempt` throws InvalidCredentialsError. Success
   * resets the count of the source; any other error (a second factor is asked for, a dependency is unreachable) counts nothing.
   *
   * @throws what `attempt` throws; AccountLockedError; ProblemError `RATE_LIMITED` for too many failures from one network
   */
  async run<T>(source: AttemptSource, attempt: () => Promise<T>): Promise<T> {
    const limits = this.limitsOf(source);
    await this.reserve(limits);
    const [own, ...shared] = limits.map(({ key }) => key) as [string, ...string[]];
    try {
      const outcome = await attempt();
      await Promise.all([this.counters.deleteOne({ _id: own }), this.giveBack(shared)]);
      return outcome;
    } catch (error) {
      if (!(error instanceof InvalidCredentialsError)) await this.giveBack([own, ...shared]);
      throw error;
    }
  }

  /**
   * Checks a password or a code within a session. Wrong ones are limited as log-ins are, in a count for each kind of
   * secret: a stolen session is no place to guess from, however many addresses it comes from, and a right password
   * gives nobody more guesses at codes.
   *
   * @param check throws InvalidCredentialsError where it is wrong
   * @throws what `check` throws; ProblemError `RATE_LIMITED`
   */
  async stepUp<T>(kind: SecretKind, userId: string, check: () => Promise<T>): Promise<T> {
    const key = stepUpKey(kind, userId);
    const blockedFor = await this.count(key, this.environment.LOGIN_LOCK_FAILURES);
    if (blockedFor > 0) {
      throw new ProblemError('RATE_LIMITED', 'Too many wrong passwords or codes.', {
        headers: { 'Retry-After': String(blockedFor) },
      });
    }
    try {
      const outcome = await check();
      await this.counters.deleteOne({ _id: key });
      return outcome;
    } catch (error) {
      if (!(error instanceof InvalidCredentialsError)) await this.giveBack([key]);
      throw error;
    }
  }

  /** Lifts all locks of an account: those of log-ins, of every network and device, and those of step-ups. */
  async unlock({ _id, email }: Pick<Account, '_id' | 'email'>): Promise<void> {
    const key = accountKey(email);
    const stepUps = SECRET_KINDS.map((kind) => stepUpKey(kind, String(_id)));
    // The keys of its networks and devices continue this one with a colon; the next character of ASCII is a semicolon.
    await this.counters.deleteMany({ $or: [{ _id: { $gte: key, $lt: `${key};` } }, { _id: { $in: stepUps } }] });
  }

  /** The first is the source's own; the others are shared with other sources. */
  private limitsOf({ email, ip, device }: AttemptSource): [Limit, ...Limit[]] {
    const { LOGIN_LOCK_FAILURES, LOGIN_ADDRESS_FAILURES } = this.environment;
    const account = accountKey(email);
    const locked = (seconds: number) => new AccountLockedError(seconds);
    if (device) return [{ key: `${account}:device:${device}`, failures: LOGIN_LOCK_FAILURES, refusal: locked }];
    const network = sha256(networkOf(ip));
    return [
      { key: `${account}:network:${network}`, failures: LOGIN_LOCK_FAILURES, refusal: locked },
      { key: account, failures: LOGIN_ADDRESS_FAILURES, refusal: locked },
      { key: `address:${network}`, failures: LOGIN_ADDRESS_FAILURES, refusal: tooManyFromNetwork },
    ];
  }

  private async reserve(limits: Limit[]): Promise<void> {
    const reserved: string[] = [];
    for (const { key, failures, refusal } of limits) {
      const seconds = await this.count(key, failures);
      if (seconds > 0) {
        await this.giveBack(reserved);
        throw refusal(seconds);
      }
      reserved.push(key);
    }
  }

  /** @returns 0 where the attempt is within the limit (it is counted then), else the seconds until the window ends */
  private async count(key: string, limit: number): Promise<number> {
    for (;;) {
      if (await this.tryCount(key, limit)) return 0;
      const counter = await this.counters.findById(key).lean();
      const now = databaseNow();
      if (!counter || counter.expiresAt.getTime() <= now || counter.count < limit) continue;
      if (now - counter.lastAttemptAt.getTime() > UNDECIDED_MS) {
        return Math.max(1, Math.ceil((counter.expiresAt.getTime() - now) / 1000));
      }
      await delay(WAIT_STEP_MS);
    }
  }

  private async tryCount(key: string, limit: number): Promise<boolean> {
    const now = databaseDate();
    const counted = await this.counters.updateOne(
      { _id: key, expiresAt: { $gt: now }, count: { $lt: limit } },
      { $inc: { count: 1 }, $set: { lastAttemptAt: now } },
    );
    if (counted.matchedCount > 0) return true;
    const expiresAt = new Date(now.getTime() + this.environment.LOGIN_LOCK_WINDOW_SECONDS * 1000);
    try {
      await this.counters.updateOne(
        { _id: key, expiresAt: { $lte: now } },
        { $set: { count: 1, lastAttemptAt: now, expiresAt } },
        { upsert: true },
      );
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false; // a window is open, and full
      throw error;
    }
  }

  private async giveBack(keys: string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.counters.updateMany({ _id: { $in: keys }, count: { $gt: 0 } }, { $inc: { count: -1 } });
  }
}

function tooManyFromNetwork(seconds: number): ProblemError {
  return new ProblemError('RATE_LIMITED', 'Too many failed log-ins from your network.', {
    headers: { 'Retry-After': String(seconds) },
  });
}

function stepUpKey(kind: SecretKind, userId: string): string {
  return `step-up:${kind}:${userId}`;
}

function accountKey(email: string): string {
  return `email:${sha256(addressKey(email))}`;
}
