import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';

/** After the drain: how long requests and work in progress may take before the process ends anyway, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 25_000;

/** The beginning of the end: connections are asked to go elsewhere, and the process is not ready any more. */
@Injectable()
export class Shutdown {
  private readonly logger = new Logger(Shutdown.name);
  private begun = false;
  private retiring = false;

  constructor(private readonly environment: ProcessEnvironment) {}

  /** Whether the instance is ending. */
  get inProgress(): boolean {
    return this.begun;
  }

  /** Whether this process is ending, with its instance or without. */
  get leaving(): boolean {
    return this.begun || this.retiring;
  }

  /** Fails readiness, then waits for load balancers to notice before anything is closed. */
  async begin(reason: string): Promise<void> {
    this.begun = true;
    this.logger.log(`${reason}: not ready any more; closing in ${this.environment.SHUTDOWN_DRAIN_SECONDS} s`);
    await this.drain();
  }

  /** The same for one worker among others: the instance stays ready, and only connections move on. */
  async retire(): Promise<void> {
    this.retiring = true;
    this.logger.log(`replaced; closing in ${this.environment.SHUTDOWN_DRAIN_SECONDS} s`);
    await this.drain();
  }

  private async drain(): Promise<void> {
    await delay(this.environment.SHUTDOWN_DRAIN_SECONDS * 1000);
  }
}
