import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { ProblemError } from '../../common/errors/problem.js';
import { networkOf } from '../../common/http/client-network.js';
import { Environment } from '../../config/environment.js';
import { isDuplicateKey } from '../../platform/database/duplicate-key.js';
import { AccountLockedError, InvalidCredentialsError } from './auth.errors.js';
import { AttemptCounter } from './schemas/attempt-counter.schema.js';

/** While an attempt that may still succeed is this young, later ones wait for its outcome instead of being refused. */
const UNDECIDED_MS = 2000;
const WAIT_STEP_MS = 50;

/** What a step-up can ask for. */
export type SecretKind = 'password' | 'code';

/**
 * Counts failed log-ins, for each account and for each client address. An attempt is counted before the password is
 * looked at and given back when it was right, so parallel attempts can't outrun the limit. Addresses of accounts are
 * counted whether there is an account or not.
 */
@Injectable()
export class LoginAttempts {
  constructor(
    @InjectModel(AttemptCounter.name) private readonly counters: Model<AttemptCounter>,
    private readonly environment: Environment,
  ) {}

  /** @throws AccountLockedError; ProblemError `RATE_LIMITED` for too many failures from one client address */
  async reserve(email: string, ip: string): Promise<void> {
    const { LOGIN_LOCK_FAILURES, LOGIN_ADDRESS_FAILURES } = this.environment;
    const blockedFor = await this.count(addressKey(ip), LOGIN_ADDRESS_FAILURES);
    if (blockedFor > 0) {
      throw new ProblemError('RATE_LIMITED', 'Too many failed log-ins from your address.', {
        headers: { 'Retry-After': String(blockedFor) },
      });
    }
    const lockedFor = await this.count(emailKey(email), LOGIN_LOCK_FAILURES);
    if (lockedFor > 0) {
      await this.giveBack(addressKey(ip));
      throw new AccountLockedError(lockedFor);
    }
  }

  /** The attempt was right in all: the account's count starts anew. */
  async succeeded(email: string, ip: string): Promise<void> {
    await Promise.all([this.counters.deleteOne({ _id: emailKey(email) }), this.giveBack(addressKey(ip))]);
  }

  /** The attempt was neither right nor wrong yet (a second factor is asked for): it doesn't count. */
  async undecided(email: string, ip: string): Promise<void> {
    await Promise.all([this.giveBack(emailKey(email)), this.giveBack(addressKey(ip))]);
  }

  /**
   * Checks a password or a code of somebody who is logged in. Wrong ones are limited as log-ins are, in a count for each kind of
   * secret: a stolen session is no place to guess from, however many addresses it comes from, and a right password
   * gives nobody more guesses at codes.
   *
   * @param check throws InvalidCredentialsError where it is wrong
   * @throws what `check` throws; ProblemError `RATE_LIMITED`
   */
  async stepUp<T>(kind: SecretKind, userId: string, check: () => Promise<T>): Promise<T> {
    const key = `step-up:${kind}:${userId}`;
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
      if (!(error instanceof InvalidCredentialsError)) await this.giveBack(key);
      throw error;
    }
  }

  /** Lifts an account's lock. */
  async unlock(email: string): Promise<void> {
    await this.counters.deleteOne({ _id: emailKey(email) });
  }

  /** @returns 0 where the attempt is within the limit (it is counted then), else the seconds until the window ends */
  private async count(key: string, limit: number): Promise<number> {
    for (;;) {
      if (await this.tryCount(key, limit)) return 0;
      const counter = await this.counters.findById(key).lean();
      const now = Date.now();
      if (!counter || counter.expiresAt.getTime() <= now || counter.count < limit) continue;
      if (now - counter.lastAttemptAt.getTime() > UNDECIDED_MS) {
        return Math.max(1, Math.ceil((counter.expiresAt.getTime() - now) / 1000));
      }
      await delay(WAIT_STEP_MS);
    }
  }

  private async tryCount(key: string, limit: number): Promise<boolean> {
    const now = new Date();
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

  private async giveBack(key: string): Promise<void> {
    await this.counters.updateOne({ _id: key, count: { $gt: 0 } }, { $inc: { count: -1 } });
  }
}

function emailKey(email: string): string {
  return `email:${hashOf(email)}`;
}

function addressKey(ip: string): string {
  return `address:${hashOf(networkOf(ip))}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
