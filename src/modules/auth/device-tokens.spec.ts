import { jest } from '@jest/globals';
import { Types } from 'mongoose';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { DeviceTokens } from './device-tokens.js';

const DAY_MS = 24 * 3_600_000;
const DEVICE = '665f1c2e9b1d4a3f8c7e6d5b';

function tokensBy(...secrets: string[]): DeviceTokens {
  return new DeviceTokens(new SecretBox({ APP_SECRETS: secrets }));
}

describe('a device token', () => {
  const account = { _id: new Types.ObjectId(), passwordHash: 'hash' };
  afterEach(() => jest.useRealTimers());

  it('names its device, also after the secrets were rotated', () => {
    const token = tokensBy('one').issue(account, DEVICE);
    expect(tokensBy('one').verify(token, account)).toBe(DEVICE);
    expect(tokensBy('two', 'one').verify(token, account)).toBe(DEVICE);
    expect(tokensBy('two').verify(token, account)).toBeUndefined();
  });

  it('is good for 180 days', () => {
    jest.useFakeTimers({ now: Date.UTC(2030, 0, 1), doNotFake: ['nextTick', 'queueMicrotask'] });
    const tokens = tokensBy('one');
    const token = tokens.issue(account, DEVICE);
    jest.setSystemTime(Date.now() + 180 * DAY_MS - 1000);
    expect(tokens.verify(token, account)).toBe(DEVICE);
    jest.setSystemTime(Date.now() + 1000);
    expect(tokens.verify(token, account)).toBeUndefined();
  });

  it("is refused for another account, after the password has changed, with another's device or time, and altered", () => {
    const tokens = tokensBy('one');
    const token = tokens.issue(account, DEVICE);
    const [device, issuedAt, signature] = token.split('.') as [string, string, string];
    expect(tokens.verify(token, { ...account, _id: new Types.ObjectId() })).toBeUndefined();
    expect(tokens.verify(token, { ...account, passwordHash: 'another' })).toBeUndefined();
    expect(tokens.verify(token, null)).toBeUndefined();
    expect(tokens.verify(undefined, account)).toBeUndefined();
    const altered = [
      `${device.replace('6', '7')}.${issuedAt}.${signature}`,
      `${device}.${Number(issuedAt) + 1}.${signature}`,
      `${device}.${issuedAt}.${signature.slice(0, -1)}`,
      `${device}.${issuedAt}`,
      'nonsense',
    ];
    for (const each of altered) expect(tokens.verify(each, account)).toBeUndefined();
  });
});
