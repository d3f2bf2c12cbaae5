import type { ProcessSpec } from './process.js';
import { startProcess } from './process.js';

/** A command that ended with something else than 0; `output` is what it said. */
export class ToolError extends Error {
  constructor(
    command: string,
    readonly output: string,
    how: string,
  ) {
    super(`${command} ended with ${how}: ${output.trim().split('\n').at(-1) ?? ''}`);
    this.name = 'ToolError';
  }
}

/**
 * Runs a command to its end.
 *
 * @param onLine sees each line of its output as it comes
 * @returns everything it wrote, both streams
 * @throws ToolError when it fails
 */
export async function runTool(
  command: string,
  args: string[],
  options: Pick<ProcessSpec, 'cwd' | 'env' | 'user' | 'onLine'> = {},
): Promise<string> {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
    options.onLine?.(line);
  };
  const child = await startProcess({ name: command, command, args, ...options, onLine });
  const how = await child.exited;
  if (how !== 'code 0') throw new ToolError(command, lines.join('\n'), how);
  return lines.join('\n');
}
