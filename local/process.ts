import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { LogFile } from './log-file.js';
import { identify, type ProcessIdentity } from './process-identity.js';
import { processTree, signalProcesses } from './process-tree.js';
import type { UnixUser } from './unprivileged.js';

const KEPT_LINES = 40;
const STOP_BOUND_MS = 20_000;
const READY_BOUND_MS = 60_000;
/** What a process has written may arrive after its end; what its own children keep open is not waited for. */
const LAST_OUTPUT_MS = 1000;

/** What to run and how it says that it is ready. */
export interface ProcessSpec {
  /** How messages, the log file and the state file call it. */
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Run as this user instead of the launcher's. */
  user?: UnixUser | undefined;
  /** The line that says it serves. Without it the process counts as ready once spawned. */
  ready?: RegExp;
  /** What ends it in good order. Default SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** How long it may take to end before SIGKILL, ms. */
  stopBoundMs?: number;
  /** Everything it writes goes here too. */
  logFile?: string;
  onLine?: (line: string) => void;
  onSpawn?: (child: SpawnedProcess) => void;
}

/** What has to be known of a child to end it from a later run. */
export interface SpawnedProcess extends ProcessIdentity {
  name: string;
  stopSignal: NodeJS.Signals;
}

/** A running child. */
export interface ManagedProcess {
  name: string;
  pid: number;
  /** Settles when it has ended, with how: "code 1" or "signal SIGKILL". Never rejects. */
  exited: Promise<string>;
  /** Its latest output, oldest first. */
  lastLines(): string[];
  /** Asks it to end, insists after the bound, returns when it is gone. */
  stop(): Promise<void>;
}

const running = new Set<ManagedProcess>();
let closing = false;

/** Ends every child of this process, the youngest first; none can be started any more. */
export async function shutDownProcesses(): Promise<void> {
  closing = true;
  // One that was stopped (SIGSTOP, Ctrl-Z) can't end, and those that wait for its answers would take their whole time.
  for (const { pid } of running) signalProcesses(processTree(pid), 'SIGCONT');
  for (const child of [...running].reverse()) await child.stop();
}

/** For whoever can't wait: what the servers have acknowledged survives this too. */
export function killProcesses(): void {
  for (const { pid } of running) killTree(pid);
}

/** With its descendants, which would outlive it: PostgreSQL's sessions have process groups of their own. */
export function killTree(pid: number): void {
  signalProcesses(processTree(pid), 'SIGKILL');
}

let deathSignalTool: boolean | undefined;

/**
 * On Linux the kernel can signal a child when its parent dies: so a launcher killed with SIGKILL leaves no
 * server behind. `setpriv` (util-linux) arranges it; where there is none the state file has to do.
 */
function withDeathSignal(command: string, args: string[], signal: NodeJS.Signals): [string, string[]] {
  deathSignalTool ??=
    process.platform === 'linux' &&
    (spawnSync('setpriv', ['--help'], { encoding: 'utf8' }).stdout ?? '').includes('--pdeathsig');
  if (!deathSignalTool) return [command, args];
  return ['setpriv', ['--pdeathsig', signal.slice('SIG'.length), '--', command, ...args]];
}

/** In a process group of its own: a Ctrl-C in the terminal reaches the launcher alone, which stops things in order. */
function spawnChild(spec: ProcessSpec, stopSignal: NodeJS.Signals): ChildProcess {
  const [command, args] = withDeathSignal(spec.command, spec.args, stopSignal);
  const { env = process.env, cwd, user } = spec;
  return spawn(command, args, { env, cwd, ...user, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `signal ${signal}` : `code ${code}`;
}

/**
 * Starts a child and waits until it says it is ready.
 *
 * @throws Error with its last lines when it ends, can't be spawned, or isn't ready in a minute.
 */
export async function startProcess(spec: ProcessSpec): Promise<ManagedProcess> {
  const { name, ready, stopSignal = 'SIGTERM', stopBoundMs = STOP_BOUND_MS } = spec;
  if (closing) throw new Error('stopped');
  const child = spawnChild(spec, stopSignal);
  const log = spec.logFile === undefined ? undefined : new LogFile(spec.logFile);
  const lines: string[] = [];
  let isReady: () => void = () => undefined;
  const readiness = new Promise<void>((resolve) => (isReady = resolve));

  const takeLine = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    log?.write(line);
    spec.onLine?.(line);
    if (ready?.test(line)) isReady();
  };
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', takeLine);
  }
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      const how = describeExit(code, signal);
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve(how);
      }, LAST_OUTPUT_MS);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
  });

  const managed: ManagedProcess = {
    name,
    pid: child.pid ?? -1,
    exited,
    lastLines: () => [...lines],
    async stop() {
      if (child.pid === undefined) return;
      child.kill(stopSignal);
      signalProcesses(processTree(child.pid), 'SIGCONT');
      const insist = setTimeout(() => killTree(managed.pid), stopBoundMs);
      await exited;
      clearTimeout(insist);
    },
  };
  if (child.pid !== undefined) {
    running.add(managed);
    void exited.then(() => running.delete(managed));
    try {
      spec.onSpawn?.({ name, stopSignal, ...identify(child.pid) });
    } catch (error) {
      await managed.stop();
      throw error;
    }
    if (!ready) isReady();
  }
  void exited.then(() => log?.close());

  const problem = await firstProblem(readiness, exited);
  if (problem === undefined) return managed;
  await managed.stop();
  throw new Error([`${name} didn't start (${problem}).`, ...lines.slice(-10)].join('\n  '));
}

async function firstProblem(readiness: Promise<void>, exited: Promise<string>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not ready after ${READY_BOUND_MS / 1000} s`), READY_BOUND_MS);
  });
  const problem = await Promise.race([readiness.then(() => undefined), exited, late]);
  clearTimeout(timer);
  return problem;
}
