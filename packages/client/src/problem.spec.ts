import { ApiError, isApiError, retryAfterMs, toApiError } from './problem.js';

describe('toApiError', () => {
  it('keeps the problem that was answered', async () => {
    const problem = { code: 'MFA_REQUIRED', status: 401, detail: 'A code is needed.', mfaToken: 't', requestId: 'r' };
    const error = await toApiError(Response.json(problem, { status: 401, headers: { 'Retry-After': '3' } }));
    expect(error).toBeInstanceOf(ApiError);
    if (!isApiError(error, 'MFA_REQUIRED')) throw error;
    expect([error.message, error.problem.mfaToken, error.requestId, error.retryAfterMs]).toEqual([
      'A code is needed.',
      't',
      'r',
      3000,
    ]);
  });

  it.each([
    [404, 'BAD_REQUEST'],
    [500, 'INTERNAL'],
    [502, 'DEPENDENCY_UNAVAILABLE'],
  ])('makes one of a %i without: %s', async (status, code) => {
    const error = await toApiError(new Response('<html>', { status, headers: { 'X-Request-Id': 'edge' } }));
    expect([error.code, error.status, error.requestId]).toEqual([code, status, 'edge']);
  });
});

describe('retryAfterMs', () => {
  const of = (value: string) => retryAfterMs(new Response(null, { headers: { 'Retry-After': value } }));

  it('reads seconds and dates', () => {
    expect(of('120')).toBe(120_000);
    expect(of(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50_000);
    expect(of('Thu, 01 Jan 1970 00:00:00 GMT')).toBe(0);
    expect(of('soon')).toBeUndefined();
    expect(retryAfterMs(new Response())).toBeUndefined();
  });
});
