import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Environment } from '../../config/environment.js';

/** The beginning of the end: from `begin` on the process is not ready, and connections are asked to go elsewhere. */
@Injectable()
export class Shutdown {
  private readonly logger = new Logger(Shutdown.name);
  private begun = false;

  constructor(private readonly environment: Environment) {}

  get inProgress(): boolean {
    return this.begun;
  }

  /** Fails readiness, then waits for load balancers to notice before anything is closed. */
  async begin(signal: string): Promise<void> {
    this.begun = true;
    this.logger.log(`${signal}: not ready any more; closing in ${this.environment.SHUTDOWN_DRAIN_SECONDS} s`);
    await delay(this.environment.SHUTDOWN_DRAIN_SECONDS * 1000);
  }
}
