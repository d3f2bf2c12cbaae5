import { setTimeout as delay } from 'node:timers/promises';
import { randomOf } from '../../src/modules/tasks/seed/random.js';

const PAUSE_MS = { least: 2_000, most: 5_000 };
const DOWN_MS = { least: 100, most: 1_500 };

/** A process or server that may be killed, and started again. */
export interface Victim {
  name: string;
  kill(): Promise<void>;
  start(): Promise<unknown>;
}

/** Kills one of its victims every few seconds and starts it again a little later; the seed decides whom, and when. */
export class Wrecker {
  /** How often each was killed, and came back. */
  readonly kills: Map<string, number>;
  private readonly random: () => number;
  private bag: Victim[] = [];

  constructor(
    private readonly victims: readonly Victim[],
    seed: number,
  ) {
    this.random = randomOf(seed).number;
    this.kills = new Map(victims.map(({ name }) => [name, 0]));
  }

  /** Whether everybody had their turn. */
  get hasKilledAll(): boolean {
    return [...this.kills.values()].every((count) => count > 0);
  }

  /** Goes on until it is told to stop; all are up then. @throws Error where a victim doesn't come back */
  async wreak(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await delay(this.between(PAUSE_MS), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) return;
      const victim = this.draw();
      await victim.kill();
      await delay(this.between(DOWN_MS));
      await victim.start();
      this.kills.set(victim.name, (this.kills.get(victim.name) ?? 0) + 1);
    }
  }

  /** From a bag that holds each victim once, and is filled again when it is empty: nobody is spared by luck. */
  private draw(): Victim {
    if (this.bag.length === 0) this.bag = [...this.victims];
    const [victim] = this.bag.splice(Math.floor(this.random() * this.bag.length), 1);
    return victim as Victim;
  }

  private between({ least, most }: { least: number; most: number }): number {
    return least + this.random() * (most - least);
  }
}
