/** Takes an error that is a fault of ours, and where it was caught. */
export type ErrorReporter = (error: Error, context: string) => void;

let reporter: ErrorReporter = () => undefined;

/** Hands an error to whoever collects them; nobody, unless `reportErrorsTo` was called. */
export const reportError: ErrorReporter = (error, context) => reporter(error, context);

/** From now on, errors go there. */
export function reportErrorsTo(other: ErrorReporter): void {
  reporter = other;
}
