import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { databaseNow } from '../../platform/database/database-clock.js';
import type { Account } from './schemas/account.schema.js';

const PURPOSE = 'device-token';
const LIFETIME_SECONDS = 180 * 24 * 3600;
const DEVICE_TOKEN = /^([0-9a-f]{24})\.(\d{1,12})\.([\w-]{43})$/;

type SignedAccount = Pick<Account, '_id' | 'passwordHash'>;

/**
 * Tokens by which a device that has logged in before is recognised: `<session>.<issued at>.<signature>`, stored nowhere. The
 * signature is over the password hash too, so that a reset or a change of the password ends all of them: somebody who knew
 * the old password may have one.
 */
@Injectable()
export class DeviceTokens {
  constructor(private readonly box: SecretBox) {}

  /** @param device the id of the session that the device began with it */
  issue(account: SignedAccount, device: string): string {
    const issuedAt = Math.floor(databaseNow() / 1000);
    return `${device}.${issuedAt}.${this.box.sign(PURPOSE, signedText(account, device, issuedAt))}`;
  }

  /** @returns the device; undefined for a token that isn't this account's, has expired or has ended */
  verify(token: string | undefined, account: SignedAccount | null): string | undefined {
    const [, device, seconds, signature] = DEVICE_TOKEN.exec(token ?? '') ?? [];
    if (!account || !device || !signature) return undefined;
    const issuedAt = Number(seconds);
    if (issuedAt + LIFETIME_SECONDS <= databaseNow() / 1000) return undefined;
    return this.box.verify(PURPOSE, signedText(account, device, issuedAt), signature) ? device : undefined;
  }
}

function signedText({ _id, passwordHash }: SignedAccount, device: string, issuedAt: number): string {
  return `${String(_id)}.${device}.${issuedAt}.${passwordHash}`;
}
