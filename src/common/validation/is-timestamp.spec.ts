import { validateSync } from 'class-validator';
import { IsTimestamp, toReadableTime } from './is-timestamp.js';

class Form {
  @IsTimestamp()
  at: unknown;
}

function isTimestamp(at: unknown): boolean {
  return validateSync(Object.assign(new Form(), { at })).length === 0;
}

describe('IsTimestamp', () => {
  it.each([
    '2026-01-31T09:30:00Z',
    '2026-01-31T09:30:00.000Z',
    '2026-01-31T09:30:00.123456Z',
    '2026-01-31T09:30:00+05:45',
    '2024-02-29T00:00:00Z',
    '9998-12-31T23:59:59.999Z',
  ])('takes %s', (text) => {
    expect(isTimestamp(text)).toBe(true);
  });

  it.each([
    '2026-01-31',
    '2026-01-31T09:30:00',
    '2026-01-31T09:30Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-31T24:01:00Z',
    '2026-01-31T09:61:00Z',
    '9999-12-31T23:59:59.999Z',
    '+012026-01-31T09:30:00Z',
    '31.01.2026',
    'tomorrow',
    '',
    ' 2026-01-31T09:30:00Z',
    '2026-01-31T09:30:00Z\u0000',
    1_769_851_800_000,
    null,
    undefined,
    new Date(),
    ['2026-01-31T09:30:00Z'],
    { $gt: '' },
  ])('refuses %j', (value) => {
    expect(isTimestamp(value)).toBe(false);
  });
});

describe('toReadableTime', () => {
  it.each([
    ['2026-01-31t09:30:00z', '2026-01-31T09:30:00Z'],
    ['2026-01-31t09:30:00.5+01:00', '2026-01-31T09:30:00.5+01:00'],
    ['1990-12-31T23:59:60Z', '1991-01-01T00:00:00.000Z'],
    ['1990-12-31t15:59:60.250-08:00', '1991-01-01T00:00:00.250Z'],
    ['2026-01-31T09:30:00Z', '2026-01-31T09:30:00Z'],
  ])('%s is read as %s', (text, expected) => {
    expect(toReadableTime(text)).toBe(expected);
    expect(isTimestamp(expected)).toBe(true);
  });

  it.each(['2026-01-31T09:30:60Z', '2026-02-30T23:59:60Z', 'z', 't:60Z', '', 7, null, undefined])(
    'leaves %j, which is no time',
    (value) => {
      expect(isTimestamp(toReadableTime(value))).toBe(false);
    },
  );
});
