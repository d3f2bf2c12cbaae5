/** Takes an error that is a fault of ours, and where it was caught. */
export type ErrorReporter = (error: Error, context: string) => void;

let reporter: ErrorReporter = () => undefined;

/** Sends an error to the collector that `reportErrorsTo` has set; does nothing without one. */
export const reportError: ErrorReporter = (error, context) => reporter(error, context);

/** From now on, errors go there. */
export function reportErrorsTo(other: ErrorReporter): void {
  reporter = other;
}
