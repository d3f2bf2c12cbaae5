import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 iterations, 1 lane (argon2id is the library's default). */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

@Injectable()
export class PasswordHasher {
  /** Verified against where there is no account, so that an unknown address takes as long as a wrong password. */
  private readonly decoy = hash('no account has this password', PARAMETERS);

  /** Whether a hash was made with weaker parameters than today's. */
  isOutdated(passwordHash: string): boolean {
    const [, memory, time] = /\$m=(\d+),t=(\d+),/.exec(passwordHash) ?? [];
    return Number(memory) < PARAMETERS.memoryCost || Number(time) < PARAMETERS.timeCost;
  }

  hash(password: string): Promise<string> {
    return hash(password, PARAMETERS);
  }

  /** @param passwordHash undefined where there is no account: takes the time, and is false */
  async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    const matches = await verify(passwordHash ?? (await this.decoy), password);
    return passwordHash !== undefined && matches;
  }
}
