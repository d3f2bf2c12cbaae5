import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types, type UpdateQuery } from 'mongoose';
import { BadAccessTokenError, EmailUnverifiedError, LastAdminError } from '../../common/errors/problem.js';
import { AccountRegisteredEvent, type AccountState } from '../../contracts/auth.events.js';
import { addressKey } from '../../common/validation/mail-address.js';
import type { Role } from '../../contracts/role.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { isDuplicateKey } from '../../platform/database/duplicate-key.js';
import { ContractSteps } from '../../platform/migrations/contract-steps.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { EmailTakenError, InvalidCredentialsError } from './auth.errors.js';
import { MAIL_ADDRESSES_ARE_CANONICAL } from './migrations/canonical-mail-addresses.js';
import { PasswordHasher } from './password-hasher.js';
import { Account, type UsedCode } from './schemas/account.schema.js';
import { Email } from './schemas/email.schema.js';

const CHANGED = 'The account has just changed: try again.';

export interface NewAccount {
  /** A new one where it is left out. */
  _id?: Types.ObjectId;
  name: string;
  email: string;
  passwordHash: string;
  role: Role;
  emailVerified: boolean;
}

/** The accounts and the addresses they hold. */
@Injectable()
export class AccountsService {
  constructor(
    @InjectModel(Account.name) private readonly accounts: Model<Account>,
    @InjectModel(Email.name) private readonly emails: Model<Email>,
    private readonly outbox: Outbox,
    private readonly hasher: PasswordHasher,
    private readonly contractSteps: ContractSteps,
  ) {}

  /** @throws EmailTakenError */
  async create({ email, _id = new Types.ObjectId(), ...input }: NewAccount, tx: ClientSession): Promise<Account> {
    const address = await this.claimEmail(email, _id, tx);
    const [created] = await this.accounts.create([{ ...input, _id, email: address }], { session: tx });
    const account = (created as NonNullable<typeof created>).toObject();
    const { name, emailVerified, role, createdAt } = account;
    const registeredAt = createdAt.toISOString();
    const event = new AccountRegisteredEvent(String(_id), { name, email: address, emailVerified, role, registeredAt });
    await this.outbox.add([event], tx);
    return account;
  }

  /** Takes as many queries for an unknown address as for a known one. */
  async findByEmail(email: string): Promise<Account | null> {
    const address = addressKey(email);
    const rows = await this.emails.find({ _id: { $in: spellingsOf(email) } }).lean();
    const ids = rows.length > 0 ? rows.map(({ account }) => account) : [new Types.ObjectId()];
    const holders = (await this.accounts.find({ _id: { $in: ids } }).lean()).filter(
      (account) => addressKey(account.email) === address,
    );
    const preferred = rows.find(({ _id }) => _id === address)?.account;
    return holders.find(({ _id }) => preferred?.equals(_id)) ?? holders[0] ?? null;
  }

  async find(id: string, tx: ClientSession | null = null): Promise<Account | null> {
    return await this.accounts.findById(id, null, { session: tx }).lean();
  }

  /** @throws BadAccessTokenError where the account is gone */
  async get(id: string | Types.ObjectId, tx: ClientSession | null = null): Promise<Account> {
    const account = await this.accounts.findById(id, null, { session: tx }).lean();
    if (!account) throw new BadAccessTokenError();
    return account;
  }

  /** Makes sure that an account's address is verified. @throws EmailUnverifiedError, BadAccessTokenError */
  async assertVerified(id: string): Promise<void> {
    if (!(await this.get(id)).emailVerified) throw new EmailUnverifiedError();
  }

  /**
   * Changes an account that is still as it was read: so a decision that was based on it (a correct password) is still valid.
   * The change makes log-ins that are in progress fail and start again.
   *
   * @throws InvalidCredentialsError where it has changed meanwhile
   */
  async update(
    { _id, version }: Pick<Account, '_id' | 'version'>,
    changes: Partial<Account>,
    tx: ClientSession,
  ): Promise<void> {
    await this.updateIfUnchanged(_id, version, { $set: changes, $inc: { version: 1 } }, tx);
  }

  /**
   * Records that a code of the second factor was used, if the account is still as it was read. Writes nothing else of the
   * second factor: its secret may be re-encrypted meanwhile.
   *
   * @throws InvalidCredentialsError where the account has changed
   */
  async recordUsedCode(
    { _id, version }: Pick<Account, '_id' | 'version'>,
    used: UsedCode,
    tx: ClientSession,
  ): Promise<void> {
    const $set = Object.fromEntries(Object.entries(used).map(([field, value]) => [`mfa.${field}`, value]));
    await this.updateIfUnchanged(_id, version, { $set, $inc: { version: 1 } }, tx);
  }

  /**
   * Makes sure, to the end of the transaction, that what was decided on the account holds (that a password was right, say).
   *
   * @param noted is written into it at the same time
   * @returns the account as it is now: its role may be another
   * @throws InvalidCredentialsError where it has changed meanwhile, or is gone
   */
  async assertUnchanged(
    { _id, version }: Account,
    noted: Pick<Partial<Account>, 'lastLoginAt'>,
    tx: ClientSession,
  ): Promise<Account> {
    const account = await this.touch(_id, { ...noted, countedOnAt: databaseDate() }, tx);
    if (account?.version !== version) throw new InvalidCredentialsError(CHANGED);
    return account;
  }

  /** Doesn't change the account's version, so log-ins in progress continue. */
  async rehash({ _id, passwordHash }: Account, password: string): Promise<void> {
    const rehashed = await this.hasher.hash(password);
    await this.accounts.updateOne({ _id, passwordHash }, { $set: { passwordHash: rehashed } });
  }

  /** Moves an account to another address, which counts as verified. @throws EmailTakenError, InvalidCredentialsError */
  async changeEmail(account: Account, email: string, tx: ClientSession): Promise<void> {
    const address = await this.claimEmail(email, account._id, tx);
    await this.releaseEmail(account, tx);
    await this.update(account, { email: address, emailVerified: true }, tx);
  }

  async isEmailTaken(email: string): Promise<boolean> {
    return await this.isHeld(spellingsOf(email), null);
  }

  /** Applies a newer name from the profile; an older one is ignored. */
  async copyName(id: string, name: string, profileVersion: number, tx: ClientSession): Promise<void> {
    const filter = { _id: id, profileVersion: { $lt: profileVersion } };
    await this.accounts.updateOne(filter, { $set: { name, profileVersion } }, { session: tx });
  }

  /**
   * Applies a newer role.
   *
   * @param tokensValidFrom when tokens begin to carry it
   * @returns whether it was newer
   */
  async copyRole(
    id: string,
    { role, version }: Pick<AccountState, 'role' | 'version'>,
    tokensValidFrom: Date,
    tx: ClientSession,
  ): Promise<boolean> {
    const filter = { _id: id, roleVersion: { $lt: version } };
    const change = { $set: { role, roleVersion: version, tokensValidFrom } };
    const { modifiedCount } = await this.accounts.updateOne(filter, change, { session: tx });
    return modifiedCount > 0;
  }

  /** Applies whether the account is suspended; an older decision is ignored. */
  async copySuspension(id: string, { status, version }: AccountState, tx: ClientSession): Promise<void> {
    const filter = { _id: id, suspensionVersion: { $not: { $gte: version } } };
    const suspendedAt = status === 'suspended' ? databaseDate() : null;
    await this.accounts.updateOne(filter, { $set: { suspendedAt, suspensionVersion: version } }, { session: tx });
  }

  /** Ends the access tokens made of the account before; `validFrom` only grows. */
  async endTokensBefore(id: string, validFrom: Date, tx: ClientSession): Promise<void> {
    await this.accounts.updateOne({ _id: id }, { $max: { tokensValidFrom: validFrom } }, { session: tx });
  }

  /**
   * Makes sure, to the end of the transaction, that an administrator stays when this one goes: two that go at once both
   * write to the one they count on, so one of them has to think again.
   *
   * @param isStillAdmin whether the account of an id that is an administrator's by its copy here is one by what is known of late
   * @throws LastAdminError
   */
  async assertNotLastAdmin({ _id }: Account, isStillAdmin: (id: string) => boolean, tx: ClientSession): Promise<void> {
    const others = { role: 'admin', suspendedAt: null, _id: { $ne: _id } } as const;
    const copies = await this.accounts.find(others, { _id: 1 }, { session: tx }).lean();
    const other = copies.find((copy) => isStillAdmin(String(copy._id)));
    if (!other) throw new LastAdminError();
    await this.touch(other._id, { countedOnAt: databaseDate() }, tx);
  }

  /**
   * Replaces the encrypted secrets of second factors; one that changes meanwhile is left as it is.
   *
   * @param replacement of an account's encrypted secret; null to leave it
   * @returns how many were replaced
   */
  async replaceMfaSecrets(replacement: (account: Types.ObjectId, sealed: string) => string | null): Promise<number> {
    let replaced = 0;
    for await (const { _id, mfa } of this.accounts.find({ mfa: { $ne: null } }, { mfa: 1 }).lean()) {
      const sealed = mfa?.secret ?? '';
      const secret = replacement(_id, sealed);
      if (secret === null) continue;
      const change = { $set: { 'mfa.secret': secret } };
      replaced += (await this.accounts.updateOne({ _id, 'mfa.secret': sealed }, change)).modifiedCount;
    }
    return replaced;
  }

  async remove(account: Account, tx: ClientSession): Promise<void> {
    await this.accounts.deleteOne({ _id: account._id }, { session: tx });
    await this.releaseEmail(account, tx);
  }

  /**
   * Takes an address, also where a row is left of an account that has left it. While instances of the previous release may
   * serve, the spelling that they look up is taken, too.
   *
   * @returns the canonical spelling, which is the account's now
   * @throws EmailTakenError
   */
  private async claimEmail(email: string, account: Types.ObjectId, tx: ClientSession): Promise<string> {
    const spellings = spellingsOf(email);
    if (await this.isHeld(spellings, tx)) throw new EmailTakenError();
    const [address, previous] = spellings;
    const isCanonical =
      previous === undefined || (await this.contractSteps.hasBegun(`auth.${MAIL_ADDRESSES_ARE_CANONICAL}`));
    await this.writeEmail({ _id: address, account, ...(!isCanonical && { previousSpelling: previous }) }, tx);
    if (!isCanonical) await this.writeEmail({ _id: previous, account }, tx);
    return address;
  }

  private async writeEmail({ _id, ...row }: Email, tx: ClientSession): Promise<void> {
    await this.emails.replaceOne({ _id }, row, { session: tx, upsert: true }).catch((error: unknown) => {
      throw isDuplicateKey(error) ? new EmailTakenError() : error;
    });
  }

  /** Whether an account has the address. Instances of the previous release leave rows of addresses that an account has left. */
  private async isHeld(spellings: [string, ...string[]], tx: ClientSession | null): Promise<boolean> {
    const rows = await this.emails.find({ _id: { $in: spellings } }, null, { session: tx }).lean();
    if (rows.length === 0) return false;
    const ids = rows.map(({ account }) => account);
    const accounts = await this.accounts.find({ _id: { $in: ids } }, { email: 1 }, { session: tx }).lean();
    return accounts.some(({ email }) => addressKey(email) === spellings[0]);
  }

  private async releaseEmail({ _id, email }: Pick<Account, '_id' | 'email'>, tx: ClientSession): Promise<void> {
    const spellings = spellingsOf(email);
    const row = await this.emails.findById(spellings[0], null, { session: tx }).lean();
    if (row?.previousSpelling !== undefined) spellings.push(row.previousSpelling);
    await this.emails.deleteMany({ _id: { $in: spellings }, account: _id }, { session: tx });
  }

  private async touch(
    id: string | Types.ObjectId,
    changes: Pick<Partial<Account>, 'countedOnAt' | 'lastLoginAt'>,
    tx: ClientSession,
  ): Promise<Account | null> {
    return await this.accounts
      .findByIdAndUpdate(id, { $set: changes }, { session: tx, returnDocument: 'after' })
      .lean();
  }

  private async updateIfUnchanged(
    _id: Types.ObjectId,
    version: number,
    change: UpdateQuery<Account>,
    tx: ClientSession,
  ): Promise<void> {
    const { matchedCount } = await this.accounts.updateOne({ _id, version }, change, { session: tx });
    if (matchedCount === 0) throw new InvalidCredentialsError(CHANGED);
  }
}

/** The canonical spelling of an address, then the one that instances of the previous release store where that differs. */
function spellingsOf(email: string): [string, ...string[]] {
  const [canonical, previous] = [addressKey(email), email.toLowerCase()];
  return previous === canonical ? [canonical] : [canonical, previous];
}
