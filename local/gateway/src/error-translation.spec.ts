import { isConflict, toMongoError } from './error-translation.js';
import { PgConnectionError, PgError } from './postgres/pg-error.js';

const raised = (C: string, M = 'message', more: Record<string, string> = {}): PgError => new PgError({ C, M, ...more });

describe('error translation', () => {
  it('tells a time limit from a cancellation', () => {
    expect(toMongoError(raised('57014', 'canceling statement due to statement timeout')).code).toBe(50);
    expect(toMongoError(raised('57014', 'canceling statement due to user request')).code).toBe(11601);
  });

  it('reports a lost connection as a mongos does a lost shard', () => {
    expect(toMongoError(new PgConnectionError('gone', false))).toMatchObject({
      code: 6,
      codeName: 'HostUnreachable',
    });
  });

  it('keeps the SQLSTATE of what MongoDB has no code for', () => {
    expect(toMongoError(raised('22012', 'division by zero'))).toMatchObject({
      code: 1,
      message: 'division by zero (SQLSTATE 22012)',
    });
  });

  it('gives a too large document its own code, whatever the engine says', () => {
    expect(toMongoError(raised('M0001', 'Size 16777256 is larger than MaxDocumentSize 16777216')).code).toBe(10334);
  });

  it('takes a unique violation of the catalogue for a race, and one of documents for a duplicate', () => {
    expect(isConflict(raised('23505', 'duplicate', { t: 'collections' }))).toBe(true);
    expect(isConflict(raised('23505', 'duplicate', { t: 'documents_7' }))).toBe(false);
  });
});
