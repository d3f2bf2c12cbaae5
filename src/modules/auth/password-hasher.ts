import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { networkOf } from '../../common/http/client-network.js';
import { requestContext } from '../../common/http/request-context.js';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import { ContractSteps } from '../../platform/migrations/contract-steps.js';
import { WorkLimit } from '../../platform/overload/work-limit.js';
import { NORMALISE_PASSWORDS } from './migrations/normalise-passwords.js';

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 iterations, 1 lane (argon2id is the library's default). */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** A hash takes one of the four threads that Node also uses for files, host names and compression: one is left to those. */
const MAX_CONCURRENCY = 3;
/** More than are hashed in a second. */
const MAX_WAITING = 400;

/**
 * Hashes passwords, a limited number at once. The rest waits for a short time and takes turns by the client's network, so
 * that a flood of log-ins from one network delays neither others' log-ins nor other requests.
 */
@Injectable()
export class PasswordHasher {
  /** Verified against where there is no account, so that an unknown address takes as long as a wrong password. */
  private readonly decoy = hash('no account has this password', PARAMETERS);
  private readonly limit: WorkLimit;

  constructor(
    { PASSWORD_MAX_WAIT_MS }: AuthEnvironment,
    private readonly contractSteps: ContractSteps,
  ) {
    this.limit = new WorkLimit({
      name: 'passwords',
      concurrency: Math.min(availableParallelism(), MAX_CONCURRENCY),
      queueLimit: { maxWaiting: MAX_WAITING, maxWaitMs: PASSWORD_MAX_WAIT_MS },
    });
  }

  /**
   * Hashes a password in Unicode NFC. While instances of the previous release may serve, in the form that was sent: it is
   * the only one that they compare.
   *
   * @throws OverloadedError where too many passwords are waiting
   */
  async hash(password: string): Promise<string> {
    const normal = password.normalize('NFC');
    const form = normal !== password && (await this.hashesNormalForm()) ? normal : password;
    return await this.inTurn(() => hash(form, PARAMETERS));
  }

  /**
   * Compares a password, in Unicode NFC first, then in the forms that instances of the previous release may have hashed.
   *
   * @param passwordHash undefined where there is no account: takes the same time, and is `wrong`
   * @returns `outdated` for one that should be hashed again: with weaker parameters than today's, or in a form other than NFC
   *   once `hash` uses that one
   * @throws OverloadedError where too many passwords are waiting
   */
  async verify(passwordHash: string | undefined, password: string): Promise<'right' | 'outdated' | 'wrong'> {
    const normal = password.normalize('NFC');
    for (const form of new Set([normal, password, password.normalize('NFD')])) {
      const matches = await this.inTurn(async () => verify(passwordHash ?? (await this.decoy), form));
      if (!matches || passwordHash === undefined) continue;
      return isWeak(passwordHash) || (form !== normal && (await this.hashesNormalForm())) ? 'outdated' : 'right';
    }
    return 'wrong';
  }

  private hashesNormalForm(): Promise<boolean> {
    return this.contractSteps.hasBegun(`auth.${NORMALISE_PASSWORDS.id}`);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const request = requestContext.getStore();
    return this.limit.run(request ? networkOf(request.ip) : '', work);
  }
}

/** Whether a hash was made with weaker parameters than today's. */
function isWeak(passwordHash: string): boolean {
  const [, memory, time] = /\$m=(\d+),t=(\d+),/.exec(passwordHash) ?? [];
  return Number(memory) < PARAMETERS.memoryCost || Number(time) < PARAMETERS.timeCost;
}
