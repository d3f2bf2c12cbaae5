import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A gateway as the local stack runs it: a process of its own. */
export interface GatewayProcess {
  child: ChildProcess;
  uri: string;
  port: number;
  /** Ends it as an operator would. @returns its exit code */
  stop(): Promise<number | null>;
}

/** The engine's address, from the global set-up. */
export function postgresUrl(): string {
  return process.env['GATEWAY_TEST_POSTGRES']!;
}

/** @throws Error with what it wrote to stderr when it ends without listening */
export async function startGateway(postgres = postgresUrl()): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [process.env['GATEWAY_MAIN']!, '--postgres', postgres, '--port', '0']);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let problems = '';
  child.stderr.on('data', (chunk) => (problems += String(chunk)));
  const firstLine = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const [line] = await Promise.race([firstLine, exited.then(() => Promise.reject(new Error(problems)))]);
  const port = Number(/^listening on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1]);
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    return (await exited)[0];
  };
  return { child, uri: `mongodb://127.0.0.1:${port}`, port, stop };
}
