import type { mongo } from 'mongoose';
import { canonicalFormOf } from '../../../common/validation/mail-address.js';
import type { Migration, MigrationContext } from '../../../platform/migrations/migration.js';

const BATCH_SIZE = 500;

interface StoredEmail {
  _id: string;
  account: mongo.ObjectId;
}

interface StoredAccount {
  _id: mongo.ObjectId;
  email: string;
  createdAt: Date;
}

/** Runs `change` for each stored address, in the order of the addresses. It returns how many documents it changed. */
function forEachAddress(change: (email: StoredEmail, context: MigrationContext) => Promise<number>) {
  const runBatch: Migration['runBatch'] = async (context, position) => {
    const after = position === null ? {} : { _id: { $gt: position as string } };
    const emails = context.db.collection<StoredEmail>('emails');
    const found = await emails.find(after).sort({ _id: 1 }).limit(BATCH_SIZE).toArray();
    let changed = 0;
    for (const email of found) changed += await change(email, context);
    return { changed, position: found.length < BATCH_SIZE ? null : found.at(-1)?._id };
  };
  return runBatch;
}

/** Stores the canonical spelling beside the one that instances of the previous release look up, where it is free. */
async function reserve({ _id, account }: StoredEmail, { db }: MigrationContext): Promise<number> {
  const address = canonicalFormOf(_id);
  if (address === null || address === _id) return 0;
  const reserved = { $setOnInsert: { account } };
  return (await db.collection<StoredEmail>('emails').updateOne({ _id: address }, reserved, { upsert: true }))
    .upsertedCount;
}

/**
 * Leaves an account its address in the canonical spelling alone. Of two accounts with one address, the older one keeps the row,
 * by which log-ins find it. The other one keeps the address as the one that its mail is sent to: it is the same mailbox.
 */
async function convert(email: StoredEmail, { db, notice }: MigrationContext): Promise<number> {
  const accounts = db.collection<StoredAccount>('accounts');
  const owner = await accounts.findOne({ _id: email.account }, { projection: { email: 1 } });
  const address = canonicalFormOf(email._id);
  if (owner?.email === email._id && address === email._id) return 0;
  if (owner?.email === email._id && address === null) {
    notice(`The mail address of the account ${String(owner._id)} has no canonical spelling and stays as it is.`);
    return 0;
  }
  return await db.client.withSession((tx) =>
    tx.withTransaction(async () => await convertIn(email, address, { db, notice }, tx)),
  );
}

async function convertIn(
  { _id, account }: StoredEmail,
  address: string | null,
  { db, notice }: Pick<MigrationContext, 'db' | 'notice'>,
  tx: mongo.ClientSession,
): Promise<number> {
  const emails = db.collection<StoredEmail>('emails');
  const accounts = db.collection<StoredAccount>('accounts');
  const ownerOf = async (email: StoredEmail | null) => {
    const owner = email && (await accounts.findOne({ _id: email.account }, { session: tx }));
    return owner && canonicalFormOf(owner.email) === address ? owner : null;
  };
  const owner = await ownerOf({ _id, account });
  // An instance of the previous release has moved or removed the account, and knew nothing of this spelling.
  if (address === null || !owner) return (await emails.deleteOne({ _id, account }, { session: tx })).deletedCount;
  if (address !== _id) {
    let keepsAddress = true;
    const other = await ownerOf(await emails.findOne({ _id: address }, { session: tx }));
    if (other && !other._id.equals(owner._id)) {
      const isOlder = owner.createdAt < other.createdAt;
      const [older, younger] = isOlder ? [owner, other] : [other, owner];
      notice(
        `The accounts ${String(older._id)} and ${String(younger._id)} have the same mail address: the first, which is older, keeps it.`,
      );
      keepsAddress = isOlder;
    }
    if (keepsAddress) await emails.updateOne({ _id: address }, { $set: { account } }, { session: tx, upsert: true });
    await emails.deleteOne({ _id, account }, { session: tx });
  }
  const change = { $set: { email: address } };
  return (await accounts.updateOne({ _id: account, email: owner.email }, change, { session: tx })).modifiedCount;
}

/** From this step on, an address is stored in its canonical spelling alone. */
export const MAIL_ADDRESSES_ARE_CANONICAL = '0003-mail-addresses-are-canonical';

/**
 * Instances of the previous release look an address up as it was typed, in lower case. So the expand step adds the canonical
 * spelling, and the contract step removes the others.
 */
export const CANONICAL_MAIL_ADDRESSES: Migration[] = [
  { id: '0002-mail-addresses-are-reserved', phase: 'expand', runBatch: forEachAddress(reserve) },
  { id: MAIL_ADDRESSES_ARE_CANONICAL, phase: 'contract', runBatch: forEachAddress(convert) },
];
