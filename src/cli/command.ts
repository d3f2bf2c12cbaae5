/** What a command gives: `output` is the result, for a pipe or a file; `note` says what to do with it. */
export interface Outcome {
  output: string;
  /** The result for scripts: printed as JSON, in place of `output`, where the command was called with `--json`. */
  data?: unknown;
  note?: string;
  /** The exit code of the process. Default 0. */
  exitCode?: number;
}

/** A mistake in how the command was called; its message says how to call it. */
export class UsageError extends Error {}

/** Nothing is wrong with the call, but what it names isn't there, or not in that state. Exit code 1. */
export class NotFoundError extends Error {}
