import type { IncomingMessage } from 'node:http';

/** Whether the client closed the connection before its request had arrived, as Node notes it in the message. */
export function hasBrokenOff({ errored, complete }: IncomingMessage): boolean {
  return !complete && errored !== null && 'code' in errored && errored.code === 'ECONNRESET';
}
