import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import type { Environment } from '../../config/environment.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { SIGNING_ALGORITHM, SigningKeys } from './signing-keys.js';

describe('the type of an access token', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const environment = { JWT_PRIVATE_KEYS: [pem], JWT_ISSUER: 'issuer', JWT_AUDIENCE: 'audience' } as Environment;
  const keys = new SigningKeys(environment, new ProcessEnvironment());
  const verifier = new AccessTokenVerifier(keys, environment);

  function tokenOf(typ: string | undefined): string {
    return new JwtService().sign(
      { sid: 'session' },
      {
        privateKey: createPrivateKey(pem) as unknown as string,
        keyid: keys.current.id,
        issuer: 'issuer',
        audience: 'audience',
        subject: 'user',
        expiresIn: 60,
        algorithm: SIGNING_ALGORITHM,
        header: { alg: SIGNING_ALGORITHM, typ },
      },
    );
  }

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'JWT'])('may be %s', (typ) => {
    expect(verifier.verify(tokenOf(typ))).toMatchObject({ sub: 'user' });
  });

  it.each(['logout+jwt', 'dpop+jwt', '', undefined])('may not be %j', (typ) => {
    expect(verifier.verify(tokenOf(typ))).toBe('invalid');
  });
});
