import { Injectable } from '@nestjs/common';
import { ValidationFailedError } from '../../../common/errors/problem.js';
import { HttpEnvironment } from '../../../config/areas/http.environment.js';
import { MailEnvironment } from '../../../config/areas/mail.environment.js';
import { CommonPasswords } from './common-passwords.js';
import { baseForms, isDerivedFrom, isPattern, wordsOf } from './password-patterns.js';
import { PwnedPasswords } from './pwned-passwords.js';

const ADVICE = 'several words that have nothing to do with each other make a good one';
const SERVICE = 'scalable-api';

/** Whose password it is to become. */
export interface PasswordOwner {
  name: string;
  email: string;
}

/** What a new password must be beside its length (NIST SP 800-63B-4, 3.1.1.2): nothing that is guessed first. */
@Injectable()
export class PasswordPolicy {
  private readonly serviceWords: string[];

  constructor(
    private readonly common: CommonPasswords,
    private readonly pwned: PwnedPasswords,
    { MAIL_FROM }: MailEnvironment,
    { PUBLIC_URL }: HttpEnvironment,
  ) {
    const displayName = MAIL_FROM.replace(/<.*/, '').replace(/@.*/, '');
    this.serviceWords = wordsOf(SERVICE, displayName, new URL(PUBLIC_URL).hostname);
  }

  /**
   * Examines a password in Unicode NFC, independent of the form that was sent.
   *
   * @throws ValidationFailedError naming the field and what to do
   */
  async assertAllowed(sent: string, field: string, owner?: PasswordOwner): Promise<void> {
    const password = sent.normalize('NFC');
    if (isPattern(password)) refuse(field, 'must not consist of repetitions or sequences');
    this.assertNotDerived(password, field, owner);
    for (const form of baseForms(password)) {
      if (await this.common.includes(form)) refuse(field, 'must not be one of the commonest passwords');
    }
    if (await this.pwned.includes(password)) refuse(field, 'must not be a password that has been leaked');
  }

  /**
   * The part that depends on the owner; asks nobody, so that it can stand in a transaction.
   *
   * @throws ValidationFailedError naming the field and what to do
   */
  assertNotDerived(password: string, field: string, owner?: PasswordOwner): void {
    if (isDerivedFrom(password, this.serviceWords)) refuse(field, "must not be derived from this service's name");
    if (owner && isDerivedFrom(password, wordsOf(owner.name, owner.email, ...owner.email.split('@')))) {
      refuse(field, 'must not be derived from your name or email address');
    }
  }
}

function refuse(field: string, message: string): never {
  throw new ValidationFailedError([{ field, message: `${message}: ${ADVICE}` }]);
}
