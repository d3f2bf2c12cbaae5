import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Counter, Gauge } from 'prom-client';
import { type FromWorker, STANDBY_VARIABLE, type ToWorker } from './messages.js';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;
/** A worker that has served for this long didn't die of its start. */
const STEADY_AFTER_MS = 60_000;
/** So many starts in a row that failed, with no worker left: it won't get better by itself. */
const MAX_FAILED_STARTS = 5;

const readyWorkers = new Gauge({ name: 'workers_ready', help: 'Workers of this instance that take requests' });
const endedWorkers = new Counter({
  name: 'workers_ended_total',
  help: 'Workers that ended, by whether the primary had asked them to',
  labelNames: ['expected'],
});

export interface WorkerPoolOptions {
  size: number;
  logger: Logger;
  /** How long a worker may take to end, in milliseconds; then it is killed. */
  endTimeoutMs: number;
  /** Called where no worker can be kept running. */
  giveUp: () => void;
}

/** Workers that share one port, kept at their number: what dies is replaced, later and later while it keeps dying. */
export class WorkerPool {
  /** Since when each takes requests, in milliseconds. */
  private readonly ready = new Map<Worker, number>();
  private readonly leaving = new Set<Worker>();
  private readonly starting = new Map<Worker, (ready: boolean) => void>();
  private readonly ending = new Map<Worker, (exitCode: number) => void>();
  private everReady = false;
  private deaths = 0;
  private failedStarts = 0;
  private stopping = false;
  private rolling: Promise<void> = Promise.resolve();

  constructor(private readonly options: WorkerPoolOptions) {
    for (const expected of ['true', 'false']) endedWorkers.inc({ expected }, 0);
    // Structured clones: JSON knows no NaN, and metrics do.
    cluster.setupPrimary({ serialization: 'advanced' });
    cluster.on('message', (worker, message: FromWorker) => {
      if (message.type === 'ready') this.onReady(worker);
    });
    cluster.on('exit', (worker, code: number | null, signal: string | null) => this.onExit(worker, code, signal));
  }

  /**
   * Starts one worker, and the others once it is ready: a configuration that none can run with is said once, and outside
   * production one makes the indexes for all.
   */
  async start(): Promise<void> {
    if (!(await this.fork())) return;
    await Promise.all(Array.from({ length: this.options.size - 1 }, () => this.fork()));
    if (!this.stopping) this.options.logger.info(`${this.ready.size} workers are ready`);
  }

  /** Replaces one worker after the other; each new one is ready before an old one leaves. */
  roll(): Promise<void> {
    this.rolling = this.rolling.then(() => this.replaceAll());
    return this.rolling;
  }

  /**
   * Has all of them end in good order, and resolves once they have.
   *
   * @returns 0 where all did
   */
  async stop(): Promise<number> {
    this.stopping = true;
    return Math.max(0, ...(await Promise.all(runningWorkers().map((worker) => this.end(worker, 'stop')))));
  }

  /** @returns whether the new worker got ready, or ended first */
  private fork(): Promise<boolean> {
    // With nobody serving it has to answer the probes; beside others it would take requests from them.
    const worker = cluster.fork({ [STANDBY_VARIABLE]: String(runningWorkers().length === 0) });
    return new Promise((resolve) => this.starting.set(worker, resolve));
  }

  private async replaceAll(): Promise<void> {
    const { logger } = this.options;
    const old = [...this.ready.keys()];
    logger.info(`replacing ${old.length} workers, one after the other`);
    for (const worker of old) {
      if (this.stopping) return;
      if (!(await this.fork())) {
        if (!this.stopping) logger.error('a new worker could not start: the old ones that are left go on');
        return;
      }
      await this.end(worker, 'retire');
    }
    logger.info(`${old.length} workers are replaced`);
  }

  private async end(worker: Worker, type: 'stop' | 'retire'): Promise<number> {
    if (worker.isDead()) return 0;
    const ended = new Promise<number>((resolve) => this.ending.set(worker, resolve));
    this.leaving.add(worker);
    // What isn't ready has nothing to finish, and doesn't listen yet.
    if (this.ready.has(worker) && worker.isConnected()) worker.send({ type } satisfies ToWorker);
    else worker.process.kill('SIGTERM');
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), this.options.endTimeoutMs);
    const exitCode = await ended;
    clearTimeout(timer);
    return exitCode;
  }

  private onReady(worker: Worker): void {
    this.ready.set(worker, Date.now());
    this.everReady = true;
    this.failedStarts = 0;
    readyWorkers.set(this.ready.size);
    this.options.logger.info({ worker: worker.id, pid: worker.process.pid }, 'worker is ready');
    this.starting.get(worker)?.(true);
    this.starting.delete(worker);
  }

  private onExit(worker: Worker, code: number | null, signal: string | null): void {
    const readySince = this.ready.get(worker);
    const wasReady = readySince !== undefined;
    const expected = this.leaving.delete(worker) || this.stopping;
    this.ready.delete(worker);
    readyWorkers.set(this.ready.size);
    endedWorkers.inc({ expected: String(expected) });
    this.starting.get(worker)?.(false);
    this.starting.delete(worker);
    this.ending.get(worker)?.(wasReady && code !== 0 ? 1 : 0);
    this.ending.delete(worker);
    if (expected) return;
    this.options.logger.error({ worker: worker.id, code, signal }, 'worker died');
    if (!wasReady) this.failedStarts += 1;
    if (this.ready.size === 0 && (!this.everReady || this.failedStarts >= MAX_FAILED_STARTS)) {
      this.options.logger.fatal(`giving up: ${this.failedStarts} starts in a row failed, and no worker is left`);
      this.options.giveUp();
      return;
    }
    if (wasReady && Date.now() - readySince > STEADY_AFTER_MS) this.deaths = 0;
    void this.replace(Math.min(FIRST_PAUSE_MS * 2 ** this.deaths++, MAX_PAUSE_MS));
  }

  private async replace(pauseMs: number): Promise<void> {
    await delay(pauseMs);
    if (!this.stopping && runningWorkers().length - this.leaving.size < this.options.size) await this.fork();
  }
}

export function runningWorkers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
}
