import { PermanentFailure } from '../../../platform/work/outcomes.js';

/** Why a delivery failed, in our own words: what a receiver's server says is for the log alone. */
export const FAILURES = {
  unreachable: 'The service that carries these messages could not be reached.',
  busy: "The receiver's side asked for another attempt later.",
  refused: "The receiver's side refused the message.",
  'no-receiver': 'There is no such receiver.',
  'too-late': 'It could not be delivered in time.',
  'over-quota': 'The limit of messages for the day was reached.',
} as const;
export type FailureReason = keyof typeof FAILURES;

/** The fields of a message that isn't sent because a quota is used up: it counts as skipped. */
export const OVER_QUOTA = { state: 'done', lastError: 'over-quota' satisfies FailureReason } as const;

const OTHER_FAILURE = 'Something went wrong on our side.';

/** The text for users of what `Delivery.lastError` keeps. */
export function failureText(reason: string | null): string | null {
  if (reason === null) return null;
  return reason in FAILURES ? FAILURES[reason as FailureReason] : OTHER_FAILURE;
}

/** Another attempt would be refused as well. As text it is its reason, which is what the delivery keeps of it. */
export class DeliveryRefusedError extends PermanentFailure {
  /** @param cause for the log */
  constructor(
    readonly reason: FailureReason,
    cause?: unknown,
  ) {
    super(messageOf(reason, cause));
  }

  override toString(): string {
    return this.reason;
  }
}

/** What caused a failure: the carrier of all messages, this receiver's server, or the message alone. */
export type FaultOf = 'carrier' | 'receiver' | 'message';

/** Another attempt may succeed. */
export class DeliveryDelayedError extends Error {
  /** @param retryAfterMs how long the carrier or receiver asked to wait */
  constructor(
    readonly reason: FailureReason,
    readonly faultOf: FaultOf,
    cause?: unknown,
    readonly retryAfterMs = 0,
  ) {
    super(messageOf(reason, cause));
  }

  override toString(): string {
    return this.reason;
  }
}

function messageOf(reason: FailureReason, cause: unknown): string {
  return cause instanceof Error ? `${reason}: ${cause.message}` : reason;
}
