import { Injectable } from '@nestjs/common';
import { type Binding, SecretBox } from '../../common/crypto/secret-box.js';
import { ContractSteps } from '../migrations/contract-steps.js';
import type { Migration } from '../migrations/migration.js';

const PURPOSE = 'one-time-token';

/** Whom a token or code is sent to, and in what message. */
export interface OneTimeMessage {
  userId: string;
  event: 'account.email-verification' | 'account.password-reset' | 'account.phone-verification';
  /** The address or number that it is sent to. */
  to: string;
}

/**
 * From this step on, tokens are bound: instances of the previous release can't read bound ones. It changes nothing that is
 * stored, since every token is used or has expired within a day.
 */
export const BIND_ONE_TIME_SECRETS: Migration = {
  id: '0001-one-time-tokens-are-bound',
  phase: 'contract',
  runBatch: () => Promise.resolve({ changed: 0, position: null }),
};

/**
 * Encrypts the tokens and codes that are sent by mail or SMS, from the event that asks for it up to the delivery: they are
 * in clear text in no outbox and no queue. Each can be decrypted for its own message alone.
 */
@Injectable()
export class OneTimeSecrets {
  constructor(
    private readonly box: SecretBox,
    private readonly contractSteps: ContractSteps,
  ) {}

  /** @param secret a token or code */
  async encrypt(secret: string, message: OneTimeMessage): Promise<string> {
    const isBound = await this.contractSteps.hasBegun(`messaging.${BIND_ONE_TIME_SECRETS.id}`);
    return this.box.encrypt(PURPOSE, secret, isBound ? bindingOf(message) : undefined);
  }

  /** @throws Error where it can't be decrypted for this message */
  decrypt(sealed: string, message: OneTimeMessage): string {
    const secret = this.box.decrypt(PURPOSE, sealed, bindingOf(message));
    if (secret !== null) return secret;
    throw new Error("the token can't be decrypted: its secret is in APP_SECRETS no more, or it is another message's");
  }
}

function bindingOf({ userId, event, to }: OneTimeMessage): Binding {
  return { owner: userId, field: `${event} to ${to}` };
}
