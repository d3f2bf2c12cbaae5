/** What PostgreSQL raised, field by field. */
export class PgError extends Error {
  readonly sqlState: string;
  readonly detail: string;
  readonly constraint: string;
  readonly table: string;

  constructor(fields: Record<string, string>) {
    super(fields.M ?? 'unknown error');
    this.sqlState = fields.C ?? 'XX000';
    this.detail = fields.D ?? '';
    this.constraint = fields.n ?? '';
    this.table = fields.t ?? '';
  }
}

/** The connection to PostgreSQL could not be made, or ended before the answer came. */
export class PgConnectionError extends Error {
  /** @param wasSent whether statements had gone out, so that what became of them is not known. */
  constructor(
    message: string,
    readonly wasSent: boolean,
  ) {
    super(message);
  }
}

/** SQLSTATEs with which a server that stops or starts turns sessions away; the session is gone after them. */
export const SESSION_ENDING_STATES = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04']);
