/** Thrown by a handler whose item can never succeed: it ends as `failed`, without another attempt. */
export class PermanentFailure extends Error {}

/** Thrown by a handler whose item has to wait until then; that is no attempt, and no failure. */
export class Postponed extends Error {
  constructor(readonly until: Date) {
    super(`postponed until ${until.toISOString()}`);
  }
}
