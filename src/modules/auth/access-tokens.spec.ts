import { generateKeyPairSync } from 'node:crypto';
import { jest } from '@jest/globals';
import { JwtService } from '@nestjs/jwt';
import { Types } from 'mongoose';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import type { Environment } from '../../config/environment.js';
import type { NewestTokens } from '../../platform/authentication/newest-tokens.js';
import { SigningKeys } from '../../platform/authentication/signing-keys.js';
import { AccessTokens } from './access-tokens.js';
import type { Account } from './schemas/account.schema.js';

const SECOND = 1_800_000_000;

function newAccessTokens(): AccessTokens {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const environment = {
    JWT_PRIVATE_KEYS: [String(privateKey.export({ type: 'pkcs8', format: 'pem' }))],
    JWT_ISSUER: 'scalable-api',
    JWT_AUDIENCE: 'scalable-api',
    ACCESS_TOKEN_TTL_SECONDS: 900,
  } as Environment;
  const newestTokens = { record: () => undefined } as unknown as NewestTokens;
  return new AccessTokens(
    new JwtService(),
    new SigningKeys(environment, new ProcessEnvironment()),
    newestTokens,
    environment,
  );
}

describe('an access token', () => {
  it.each([
    ['whose clock is a millisecond behind', SECOND * 1000 - 1],
    ['whose clock is on time', SECOND * 1000],
  ])('counts from the moment on that ended the old ones, also after a wait %s', async (_, now) => {
    const account = { _id: new Types.ObjectId(), role: 'user', tokensValidFrom: new Date(SECOND * 1000) } as Account;
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
    try {
      const session = { _id: new Types.ObjectId(), expiresAt: new Date((SECOND + 100_000) * 1000) };
      const { accessToken } = await newAccessTokens().issue(account, session);
      expect(new JwtService().decode<{ iat: number; exp: number }>(accessToken)).toMatchObject({
        iat: SECOND,
        exp: SECOND + 900,
      });
    } finally {
      clock.mockRestore();
    }
  });

  it('expires with its session at the latest', async () => {
    const account = { _id: new Types.ObjectId(), role: 'user', tokensValidFrom: null } as Account;
    const clock = jest.spyOn(Date, 'now').mockReturnValue(SECOND * 1000);
    try {
      const session = { _id: new Types.ObjectId(), expiresAt: new Date((SECOND + 40) * 1000) };
      const { accessToken, expiresIn } = await newAccessTokens().issue(account, session);
      expect(expiresIn).toBe(40);
      expect(new JwtService().decode<{ exp: number }>(accessToken).exp).toBe(SECOND + 40);
    } finally {
      clock.mockRestore();
    }
  });
});
