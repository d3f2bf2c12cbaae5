/** What a command gives: `output` is the result, for a pipe or a file; `note` says what to do with it. */
export interface Outcome {
  output: string;
  note?: string;
  /** The exit code of the process. Default 0. */
  exitCode?: number;
}

/** An operator's command, without the name it is called by. */
export type Command = (args: string[], source: NodeJS.ProcessEnv) => Promise<Outcome>;

/** A mistake in how the command was called; its message says how to call it. */
export class UsageError extends Error {}
