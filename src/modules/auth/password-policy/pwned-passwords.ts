import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { AuthEnvironment } from '../../../config/areas/auth.environment.js';

const PREFIX_LENGTH = 5;
const TIMEOUT_MS = 1000;

/**
 * Looks passwords up in a collection of leaked ones by the range interface of Pwned Passwords, where `PWNED_PASSWORDS_URL` names
 * one. Only the first five of the forty hexadecimal digits of a password's SHA-1 are sent (k-anonymity).
 */
@Injectable()
export class PwnedPasswords {
  private readonly logger = new Logger(PwnedPasswords.name);

  constructor(private readonly environment: AuthEnvironment) {}

  /** @returns false also where the collection can't be reached: registering must not depend on it */
  async includes(password: string): Promise<boolean> {
    const url = this.environment.PWNED_PASSWORDS_URL;
    if (!url) return false;
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
    try {
      const lines = await requestRange(`${url}/${hash.slice(0, PREFIX_LENGTH)}`);
      return lines.some((line) => isLeaked(line, hash.slice(PREFIX_LENGTH)));
    } catch (error) {
      const { name, message } = error as Error;
      this.logger.warn({ reason: `${name}: ${message}` }, 'a new password could not be looked up among leaked ones');
      return false;
    }
  }
}

async function requestRange(url: string): Promise<string[]> {
  const response = await fetch(url, {
    // Padding hides from an observer, by the size of the answer, which range was asked for.
    headers: { 'Add-Padding': 'true', 'User-Agent': 'scalable-api' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  return (await response.text()).split('\n');
}

/** @param line `SUFFIX:COUNT`; padding has a count of 0 */
function isLeaked(line: string, suffix: string): boolean {
  const [given, count] = line.trim().split(':');
  return given?.toUpperCase() === suffix && Number(count) > 0;
}
