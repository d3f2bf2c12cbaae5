import { createHash, createPublicKey, sign } from 'node:crypto';
import { MongoClient, ObjectId } from 'mongodb';

const BATCH = 2000;
const STATUSES = ['todo', 'in_progress', 'done', 'archived'];
const NO_DUE_DATE = new Date('9999-12-31T23:59:59.999Z');

/** Puts tasks straight into the database, as many for each user. @returns per user the id and those of some tasks */
export async function insertTasks(mongodbUri, users, tasks, random, progress) {
  const client = new MongoClient(mongodbUri);
  const collection = client.db().collection('tasks');
  const people = Array.from({ length: users }, () => ({ id: new ObjectId(), taskIds: [] }));
  for (let from = 0; from < tasks; from += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, tasks - from) }, (_, i) =>
      newTask(people[(from + i) % users], from + i, random),
    );
    await collection.insertMany(rows, { ordered: false });
    if ((from / BATCH) % 50 === 0) progress(from);
  }
  await client.close();
  return people;
}

function newTask(person, index, random) {
  const _id = new ObjectId();
  if (person.taskIds.length < 20) person.taskIds.push(_id);
  const createdAt = new Date(Date.now() - random() * 90 * 86_400_000);
  const status = STATUSES[Math.floor(random() * STATUSES.length)];
  const title = `Task number ${index}`;
  const description = 'What is to be done, in a sentence or two, as people write them.';
  return {
    ...{ _id, user: person.id, title, description, status, priority: Math.floor(random() * 4), tags: ['bench'] },
    dueDate: random() < 0.5 ? NO_DUE_DATE : new Date(Date.now() + (random() - 0.5) * 60 * 86_400_000),
    ...{ remindAt: null, remindedOf: null, overdueOf: null, version: 1, createdAt, updatedAt: createdAt },
    completedAt: status === 'done' ? new Date(createdAt.getTime() + random() * 86_400_000) : null,
    search: { title: title.toLowerCase(), tags: 'bench', description: description.toLowerCase() },
  };
}

/** Access tokens as the service signs them, for users that needn't log in for this. */
export function tokenIssuer(privateKey) {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url');
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return (userId) => {
    const iat = Math.floor(Date.now() / 1000);
    const claims = { sub: String(userId), sid: String(new ObjectId()), role: 'user', iat, exp: iat + 14_400 };
    const content = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode({ ...claims, iss: 'scalable-api', aud: 'scalable-api' })}`;
    return `${content}.${sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
}
