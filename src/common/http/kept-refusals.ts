/** Statuses of refusals that another attempt may escape, although the request is the same. */
const NOT_KEPT = new Set([401, 403, 409, 429]);

/** Whether a refusal with this status is kept, and answers retries with the same `Idempotency-Key`. */
export function isKeptRefusal(status: number): boolean {
  return status < 500 && !NOT_KEPT.has(status);
}
