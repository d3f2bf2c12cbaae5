import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { databaseClock } from './database-clock.js';

/** By how much the clocks may differ, in milliseconds: clients and stores of files tolerate as much. */
const TOLERATED_MS = 5000;
const CHECKED_EVERY_MS = 1000;

/**
 * Compares this machine's clock with the database's. What is stored is by the database's clock, so a difference harms no work;
 * but logs, URLs signed for a store of files, and certificates are judged by this machine's.
 */
@Injectable()
export class ClockSkew implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ClockSkew.name);
  private timer?: NodeJS.Timeout;
  private reported = false;

  constructor() {
    new Gauge({
      name: 'clock_skew_seconds',
      help: "By how much this machine's clock is ahead of MongoDB's; negative where it is behind",
      aggregator: 'first', // the workers of an instance share a machine
      collect() {
        this.set(databaseClock.skewMs / 1000);
      },
    });
  }

  onApplicationBootstrap(): void {
    this.check();
    this.timer = setInterval(() => this.check(), CHECKED_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** What is wrong with the clock, in words; undefined while the difference is small. */
  get problem(): string | undefined {
    const { skewMs } = databaseClock;
    if (Math.abs(skewMs) <= TOLERATED_MS) return undefined;
    const direction = skewMs > 0 ? 'ahead of' : 'behind';
    return `this machine's clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${direction} that of MongoDB`;
  }

  /** One line when the difference has become too large, and one when it is small again. */
  private check(): void {
    const { problem } = this;
    if (Boolean(problem) === this.reported) return;
    this.reported = Boolean(problem);
    if (problem) this.logger.warn(`${problem}: synchronize both (NTP)`);
    else this.logger.log("this machine's clock agrees with that of MongoDB again");
  }
}
