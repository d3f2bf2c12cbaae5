import { parseAuthMessage } from './auth-message.js';

describe('the first message', () => {
  it('carries a token, and the time of the last one seen', () => {
    expect(parseAuthMessage('{"type":"auth","token":"t"}')).toEqual({ token: 't', since: null });
    expect(parseAuthMessage('{"type":"auth","token":"t","since":null}')).toEqual({ token: 't', since: null });
    expect(parseAuthMessage('{"type":"auth","token":"t","since":"2026-03-01T09:00:00.250Z"}')).toEqual({
      token: 't',
      since: Date.UTC(2026, 2, 1, 9, 0, 0, 250),
    });
  });

  it.each(['yesterday', '2026-03-01', 5, {}, ''])('is reported by its kind where its time is %j', (since) => {
    expect(parseAuthMessage(JSON.stringify({ type: 'auth', token: 't', since }))).toBe('invalid since');
  });

  it.each([
    '',
    'nonsense',
    'null',
    '[]',
    '"auth"',
    '{}',
    '{"type":"auth"}',
    '{"type":"auth","token":5}',
    '{"type":"hello","token":"t"}',
  ])('is nothing else: %s', (text) => {
    expect(parseAuthMessage(text)).toBeNull();
  });
});
