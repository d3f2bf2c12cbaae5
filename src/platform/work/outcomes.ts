/** Thrown by a handler whose item can never succeed: it ends as `failed`, without another attempt. */
export class PermanentFailure extends Error {}

/**
 * Thrown by a handler whose release doesn't know all that its item is for: left to processes of the release that does. That
 * is no attempt and has a limit of its own, after which the item is parked.
 */
export class UnknownWork extends Error {}

/** Thrown by a handler whose item has to wait until `until`, a time of the database clock; that is no attempt, and no failure. */
export class Postponed extends Error {
  constructor(readonly until: Date) {
    super(`postponed until ${until.toISOString()}`);
  }
}
