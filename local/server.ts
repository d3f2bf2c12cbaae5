import type { SpawnedProcess } from './process.js';
import { explainFailure } from './start-failure.js';

/** A server the stack uses: its own child, or somebody else's that an address was given for. */
export interface Server {
  url: string;
  /** What it is and where it comes from, for people: "Redis 8.0.2 from Debian's packages". */
  description: string;
  /** The processes behind it died; resolves with a sentence. Never for a server that isn't ours. */
  failed: Promise<string>;
  stop(): Promise<void>;
}

/** What every source gets to work with. */
export interface ServerContext {
  /** Data live in folders of their own below it. */
  dataDir: string;
  cacheDir: string;
  logDir: string;
  /** False: data may vanish with the machine (tests). */
  durable: boolean;
  /** Prefer the ports people know over random ones. */
  usualPorts: boolean;
  log: (line: string) => void;
  onSpawn: (child: SpawnedProcess) => void;
}

/** One place a server can come from. */
export interface Source {
  name: string;
  /** @throws Error in one sentence when this source hasn't got it; the next one is tried then. */
  start(): Promise<Server>;
}

/** A server that runs anyway. */
export function foreignServer(url: string, description: string): Server {
  return { url, description, failed: new Promise(() => undefined), stop: async () => undefined };
}

/**
 * Tries the sources in order, a line each.
 *
 * @throws Error that says what to do when none has it.
 */
export async function startFirst(
  what: string,
  sources: Source[],
  log: (line: string) => void,
  remedy: string,
): Promise<Server> {
  for (const source of sources) {
    try {
      const server = await source.start();
      log(`${what}: ${server.description}`);
      return server;
    } catch (error) {
      log(`${what}: not from ${source.name}: ${explainFailure(error)}`);
    }
  }
  throw new Error(`${what} can't be had from anywhere: ${remedy}`);
}
