import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** The repository's root: Jest is started there by `npm run`. */
export const ROOT = resolve('.');

/** Which Debian package a tool is in; `.ci/run` installs them. */
const PACKAGES = {
  nginx: 'nginx (Debian or Ubuntu)',
  kubectl: 'kubectl (Debian 13; or kubernetes.io)',
  'docker compose': 'docker-compose version 2 (Debian 13) or docker-compose-plugin (docker.com)',
  sh: 'dash',
  openssl: 'openssl',
  'systemd-analyze': 'systemd',
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
};
type Tool = keyof typeof PACKAGES;

/** A missing tool fails the test that needs it: a suite that skips what it can't run proves nothing. */
export class ToolMissingError extends Error {
  constructor(tool: Tool) {
    super(`${tool} isn't installed: install the package ${PACKAGES[tool]}, then run this again.`);
  }
}

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

function tryRun(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Result | null {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error && 'code' in error && error.code === 'ENOENT') return null;
  if (error) throw error;
  return { status, stdout, stderr };
}

/**
 * Runs a tool in the repository's root and returns what it printed on stdout.
 *
 * @throws ToolMissingError when it isn't there, Error with its stderr when it fails
 */
export function run(tool: Exclude<Tool, 'docker compose' | 'systemd-analyze'>, args: string[]): string {
  return output([tool, ...args], tryRun(tool, args), tool);
}

/** The same for `docker compose`, which is a plug-in of docker in some places and a program `docker-compose` in others. */
export function compose(args: string[], env?: NodeJS.ProcessEnv): string {
  const command = composeCommand();
  return output([...command, ...args], tryRun(command[0]!, [...command.slice(1), ...args], env), 'docker compose');
}

function composeCommand(): string[] {
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    const version = tryRun(command[0]!, [...command.slice(1), 'version', '--short']);
    // Version 1, still Debian 12's docker-compose, knows neither `depends_on: condition` as we use it nor `start_period`.
    if (version?.status === 0 && /^v?([2-9]|\d\d)\./.test(version.stdout)) return command;
  }
  throw new ToolMissingError('docker compose');
}

function output(command: string[], result: Result | null, tool: Tool): string {
  if (result === null) throw new ToolMissingError(tool);
  if (result.status !== 0) throw new Error(`${command.join(' ')} failed:\n${result.stderr}${result.stdout}`);
  return result.stdout;
}
