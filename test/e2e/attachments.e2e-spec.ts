import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { digest, fingerprintOf } from '../../src/platform/idempotency/fingerprint.js';
import type { ApiClient, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { type FileAnswer, sendFile, upload, type UploadBody } from '../support/files.js';
import { startS3, type TestS3 } from '../support/s3.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, type TaskBody, TASKS } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface Attachment {
  id: string;
  filename: string;
  contentType: string;
  size: number;
  state: string;
}
type Created = UploadBody & { attachment: Attachment };
/** Of the task. */
interface Versioned {
  version: number;
}

const CONTENT = Buffer.from('name;value\nä;1\n');
const FILE = { filename: 'Zahlen März.csv', contentType: 'text/csv', size: CONTENT.length };
const UNKNOWN_ID = '0123456789abcdef01234567';
const DAYS = 24 * 3600 * 1000;

let s3: TestS3;
let service: TestService;
let user: TestUser;
let api: ApiClient;
beforeAll(async () => {
  s3 = await startS3();
  service = await startService({ ...s3.environment, STORAGE_PATH: undefined });
  user = await registerUser(service);
  api = user.api;
}, 120_000);
afterAll(() => s3.close());

const attachmentsOf = (task: { id: string }) => `${TASKS}/${task.id}/attachments`;
const removals = () => databaseOf(service).collection('objectremovals');
const key = (task: TaskBody, attachment: Attachment, owner = user) =>
  `attachments/${owner.id}/${task.id}/${attachment.id}`;

async function create(task: TaskBody, file: object = FILE, by = api): Promise<Created> {
  const { status, body } = await by.post<Created>(attachmentsOf(task), file);
  expect(status).toBe(201);
  return body;
}

/** A file that is all there. */
async function attach(task: TaskBody, content = CONTENT, by = api): Promise<Attachment> {
  const created = await create(task, { ...FILE, size: content.length }, by);
  expect(await upload(created, content)).toBe(200);
  const path = `${attachmentsOf(task)}/${created.attachment.id}`;
  expect((await by.post(`${path}/complete`)).status).toBe(200);
  return created.attachment;
}

async function download(task: TaskBody, { id }: Attachment, by = api): Promise<FileAnswer> {
  const { status, headers } = await by.get(`${attachmentsOf(task)}/${id}`);
  expect([status, headers.get('cache-control')]).toEqual([302, 'no-store']);
  return await sendFile(headers.get('location') ?? '');
}

/** Asks the store itself, with a URL that the service signed before. */
async function isStored(url: string): Promise<boolean> {
  const { status, body } = await sendFile(url);
  return status === 200 && body.length > 0;
}

async function downloadUrl(task: TaskBody, { id }: Attachment, by = api): Promise<string> {
  return (await by.get(`${attachmentsOf(task)}/${id}`)).headers.get('location') ?? '';
}

const read = async (task: { id: string }) => (await api.get<TaskBody>(`${TASKS}/${task.id}`)).body;

/** Lets the time come for what is planned for later. */
async function becomeDue(...path: string[]): Promise<void> {
  const { matchedCount } = await removals().updateMany({ path }, { $set: { availableAt: new Date() } });
  expect(matchedCount).toBeGreaterThan(0);
}

describe('an attachment', () => {
  it('goes straight to the store, is completed, and comes back as it was', async () => {
    const task = await createTask(api);
    const created = await api.post<Created>(attachmentsOf(task), FILE);
    const { attachment, uploadUrl, expiresAt } = created.body;
    expect(attachment).toEqual({ id: expect.any(String) as string, ...FILE, state: 'pending' });
    expect(created.headers.get('location')).toBe(`${attachmentsOf(task)}/${attachment.id}`);
    expect(uploadUrl).toContain(key(task, attachment));
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(900_000);
    expect(await upload(created.body, CONTENT)).toBe(200);

    const completed = await api.post(`${attachmentsOf(task)}/${attachment.id}/complete`);
    expect([completed.status, completed.body]).toEqual([
      200,
      { attachment: { ...attachment, state: 'complete' }, version: 3 },
    ]);
    expect((await read(task)).attachments).toEqual([{ ...attachment, state: 'complete' }]);
    const { headers, body } = await download(task, attachment);
    expect(body).toEqual(CONTENT);
    expect(headers['content-type']).toBe('text/csv');
    expect(headers['content-disposition']).toBe("attachment; filename*=UTF-8''Zahlen%20M%C3%A4rz.csv");
  });

  it('may have 25 MiB, none of which passes through the service', async () => {
    const task = await createTask(api);
    const content = Buffer.from(randomBytes(25 * 1024 * 768).toString('base64'));
    const attachment = await attach(task, content);
    const { body } = await download(task, attachment);
    expect(createHash('sha256').update(body).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('changes the task: its version, its tag, its history, and the cached list', async () => {
    const task = await createTask(api);
    const listed = async () => (await api.get<{ data: TaskBody[] }>(TASKS)).body.data.find(({ id }) => id === task.id);
    const versions = [(await listed())?.version];
    const created = await api.post<Created & Versioned>(attachmentsOf(task), FILE);
    versions.push((await listed())?.version);
    await upload(created.body, CONTENT);
    const path = `${attachmentsOf(task)}/${created.body.attachment.id}`;
    const completed = await api.post<Versioned>(`${path}/complete`);
    const again = await api.post<Versioned>(`${path}/complete`);
    versions.push((await listed())?.version);
    const deleted = await api.delete(path);
    versions.push((await listed())?.version);
    expect(versions).toEqual([1, 2, 3, 4]);
    // So that the client's next conditional write is none of an older state.
    const answers = [created, completed, again].map(({ headers, body }) => [headers.get('etag'), body.version]);
    expect(answers).toEqual([
      ['"2"', 2],
      ['"3"', 3],
      ['"3"', 3],
    ]);
    expect(deleted.headers.get('etag')).toBe('"4"');
    expect((await api.get(`${TASKS}/${task.id}`)).headers.get('etag')).toBe('"4"');
    const { body } = await api.get<{ data: { changes: { field: string }[] }[] }>(`${TASKS}/${task.id}/history`);
    expect(body.data.map(({ changes }) => changes.map(({ field }) => field))).toEqual(Array(3).fill(['attachments']));
  });

  it.each([
    ['nothing', (_: Created) => Promise.resolve(0)],
    ['what the store refused', (to: Created) => upload(to, Buffer.alloc(20), { 'Content-Length': '20' })],
  ])('is not complete when %s was uploaded', async (_, send) => {
    const task = await createTask(api);
    const created = await create(task);
    expect(await send(created)).not.toBe(200);
    const path = `${attachmentsOf(task)}/${created.attachment.id}`;
    const answers = [await api.post<Problem>(`${path}/complete`), await api.get<Problem>(path)];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(2).fill([409, 'UPLOAD_INCOMPLETE']));
    expect((await read(task)).attachments).toEqual([created.attachment]);
  });

  it('is not complete when the file is something else than was declared', async () => {
    const task = await createTask(api);
    const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)]);
    const created = await create(task, { ...FILE, size: program.length });
    expect(await upload(created, program)).toBe(200);
    const { status, body } = await api.post<Problem>(`${attachmentsOf(task)}/${created.attachment.id}/complete`);
    expect([status, body.code]).toEqual([409, 'UPLOAD_INCOMPLETE']);
    expect(body.detail).toContain('not text/csv');
    expect((await read(task)).attachments).toEqual([created.attachment]);
  });

  it.each(['size', 'contentType'])('is not complete when the store has one of another %s', async (field) => {
    const task = await createTask(api);
    const { attachment, ...to } = await create(task);
    await upload(to, CONTENT);
    // What no client can bring about, as both are signed.
    const other = field === 'size' ? 1 : 'text/plain';
    await databaseOf(service)
      .collection('tasks')
      .updateOne({ _id: new ObjectId(task.id) }, { $set: { [`attachments.0.${field}`]: other } });
    const { body } = await api.post<Problem>(`${attachmentsOf(task)}/${attachment.id}/complete`);
    expect(body.code).toBe('UPLOAD_INCOMPLETE');
  });

  it('may be completed again, which changes nothing', async () => {
    const task = await createTask(api);
    const { id } = await attach(task);
    const { version } = await read(task);
    const again = await Promise.all([1, 2, 3].map(() => api.post(`${attachmentsOf(task)}/${id}/complete`)));
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await read(task)).version).toBe(version);
  });

  it('is removed, and its object with it', async () => {
    const task = await createTask(api);
    const attachment = await attach(task);
    const url = await downloadUrl(task, attachment);
    expect(await isStored(url)).toBe(true);
    expect((await api.delete(`${attachmentsOf(task)}/${attachment.id}`)).status).toBe(204);
    expect((await read(task)).attachments).toEqual([]);
    for (const send of [api.get.bind(api), api.delete.bind(api)]) {
      expect((await send(`${attachmentsOf(task)}/${attachment.id}`)).status).toBe(404);
    }
    await waitFor('the object to go', async () => !(await isStored(url)));
  });

  it('gets a URL of its own for each request, as none is kept for an idempotency key', async () => {
    const task = await createTask(api);
    const header = { 'Idempotency-Key': randomUUID() };
    const send = () => api.post<Created>(attachmentsOf(task), FILE, header);
    const answers = [await send(), await send()];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, null]);
    for (const { body } of answers) expect(await upload(body, CONTENT)).toBe(200);
    const kept = databaseOf(service).collection('idempotencykeys');
    expect(await kept.countDocuments({ user: new ObjectId(user.id), 'answer.body': /uploadUrl/ })).toBe(0);
  });

  it('gets no URL that an earlier release has kept', async () => {
    const task = await createTask(api);
    const header = { 'Idempotency-Key': randomUUID() };
    const url = attachmentsOf(task);
    const kept = { status: 201, headers: {}, body: '{"uploadUrl":"https://expired.example.org"}' };
    const times = { lease: randomUUID(), leaseUntil: new Date(), expiresAt: new Date(Date.now() + DAYS) };
    const fingerprint = fingerprintOf(FILE);
    const _id = digest(user.id, 'POST', url, header['Idempotency-Key']) as unknown as ObjectId;
    await databaseOf(service)
      .collection('idempotencykeys')
      .insertOne({ _id, user: new ObjectId(user.id), fingerprint, answer: kept, ...times });
    const { status, body } = await api.post<Created>(url, FILE, header);
    expect([status, body.attachment.filename]).toEqual([201, FILE.filename]);
  });
});

describe('attachments of a task', () => {
  it('are 20 at most, however many are created at once', async () => {
    const task = await createTask(api);
    await Promise.all(Array.from({ length: 5 }, () => create(task)));
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.post<Problem>(attachmentsOf(task), FILE)));
    const refused = answers.filter(({ status }) => status === 400);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(15);
    expect(refused.map(({ body }) => body.errors?.[0]?.field)).toEqual(Array(5).fill('attachments'));
    const { attachments, version } = await read(task);
    expect([attachments.length, version]).toEqual([20, 21]);
  }, 120_000);

  it.each([
    ['a path', 'filename', { filename: '../../etc/passwd' }],
    ["Windows's path", 'filename', { filename: 'C:\\x.csv' }],
    ['dots', 'filename', { filename: '..' }],
    ['a header', 'filename', { filename: 'a\r\nSet-Cookie: x=1' }],
    ['a null character', 'filename', { filename: 'a\0.csv' }],
    ['a turned extension', 'filename', { filename: 'a\u202evsc.exe' }],
    ['no name', 'filename', { filename: '' }],
    ['a web page', 'contentType', { contentType: 'text/html' }],
    ['a picture with scripts', 'contentType', { contentType: 'image/svg+xml' }],
    ['a type with parameters', 'contentType', { contentType: 'text/csv; charset=utf-8' }],
    ['more than 25 MiB', 'size', { size: 25 * 1024 * 1024 + 1 }],
    ['nothing', 'size', { size: 0 }],
    ['a size in words', 'size', { size: '12' }],
    ['an address', 'url', { url: 'http://169.254.169.254/' }],
  ])('may not be %s', async (_, field, wrong) => {
    const task = await createTask(api);
    const { status, body } = await api.post<Problem>(attachmentsOf(task), { ...FILE, ...wrong });
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, 'VALIDATION_FAILED', field]);
  });

  it("are another user's like those that don't exist", async () => {
    const task = await createTask(api);
    const attachment = await attach(task);
    const stranger = await registerUser(service);
    const own = await createTask(stranger.api);
    const paths = [
      `${attachmentsOf(task)}/${attachment.id}`,
      `${attachmentsOf(own)}/${attachment.id}`,
      `${attachmentsOf(own)}/${UNKNOWN_ID}`,
      `${attachmentsOf(own)}/..%2f..%2f${task.id}`,
    ];
    for (const path of paths) {
      const answers = [
        await stranger.api.get(path),
        await stranger.api.post(`${path}/complete`),
        await stranger.api.delete(path),
      ];
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    }
    expect((await stranger.api.post(attachmentsOf(task), FILE)).status).toBe(404);
    expect((await download(task, attachment)).body).toEqual(CONTENT);
  });

  it('stay with a deleted task as long as it can be restored, and not longer', async () => {
    const task = await createTask(api);
    const attachment = await attach(task);
    const url = await downloadUrl(task, attachment);
    await api.delete(`${TASKS}/${task.id}`);
    await becomeDue(user.id, task.id);
    await waitFor('the work', async () => (await removals().countDocuments({ path: [user.id, task.id] })) === 0);
    expect((await api.get(`${attachmentsOf(task)}/${attachment.id}`)).status).toBe(404);
    expect(await isStored(url)).toBe(true);
    expect((await api.post<TaskBody>(`${TASKS}/${task.id}/restore`)).body.attachments).toHaveLength(1);
    expect((await download(task, attachment)).body).toEqual(CONTENT);

    await api.delete(`${TASKS}/${task.id}`);
    await databaseOf(service)
      .collection('deletedtasks')
      .updateOne({ _id: new ObjectId(task.id) }, { $set: { deletedAt: new Date(Date.now() - 31 * DAYS) } });
    await becomeDue(user.id, task.id);
    await waitFor('the object to go', async () => !(await isStored(url)));
  });

  it('are in the export of a person, and gone with the person', async () => {
    const person = await registerUser(service);
    const task = await createTask(person.api);
    const attachment = await attach(task, CONTENT, person.api);
    const url = await downloadUrl(task, attachment, person.api);
    const { body } = await person.api.get('/api/v1/users/me/export');
    expect(body).toMatchObject({ data: { tasks: { tasks: [{ attachments: [{ filename: FILE.filename }] }] } } });
    await person.api.send('DELETE', '/api/v1/users/me', { password: person.password });
    await waitFor('the object to go', async () => !(await isStored(url)));
  });
});

describe('the bytes of a user', () => {
  const LIMIT = 100;
  let small: TestService;
  beforeAll(async () => {
    small = await service.replica({ QUOTA_FILES_BYTES: String(LIMIT) });
  }, 60_000);
  afterAll(() => small.stop());

  const usages = () => databaseOf(service).collection<{ _id: ObjectId; bytes: number }>('storageusages');
  const usageOf = async ({ id }: TestUser) => (await usages().findOne({ _id: new ObjectId(id) }))?.bytes ?? 0;

  it('have a limit, also for uploads that are allowed at once', async () => {
    const person = await registerUser(service);
    const at = person.api.at(small);
    const tasks = await Promise.all(Array.from({ length: 8 }, () => createTask(person.api)));
    const send = (task: { id: string }) => at.post<Created & Problem>(attachmentsOf(task), { ...FILE, size: 30 });
    const answers = await Promise.all(tasks.map(send));
    const refused = answers.filter(({ status }) => status === 409);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(refused.map(({ body }) => body.code)).toEqual(Array(5).fill('LIMIT_REACHED'));
    expect(await usageOf(person)).toBe(90);
    const avatar = await at.post<Problem>('/api/v1/users/me/avatar', { contentType: 'image/png', size: 11 });
    expect([avatar.status, avatar.body.code]).toEqual([409, 'LIMIT_REACHED']);
    expect((await at.post('/api/v1/users/me/avatar', { contentType: 'image/png', size: 10 })).status).toBe(201);
  }, 60_000);

  it('are free again once an attachment is deleted, an upload is given up, or a task cannot be restored', async () => {
    const person = await registerUser(service);
    const [task, other] = [await createTask(person.api), await createTask(person.api)];
    const deleted = await attach(task, CONTENT, person.api);
    const abandoned = await create(task, FILE, person.api);
    await attach(other, CONTENT, person.api);
    expect(await usageOf(person)).toBe(3 * CONTENT.length);
    await person.api.delete(`${attachmentsOf(task)}/${deleted.id}`);
    await waitFor('the deleted one', async () => (await usageOf(person)) === 2 * CONTENT.length);
    await becomeDue(person.id, task.id, abandoned.attachment.id);
    await waitFor('the abandoned one', async () => (await usageOf(person)) === CONTENT.length);
    await person.api.delete(`${TASKS}/${other.id}`);
    await databaseOf(service)
      .collection('deletedtasks')
      .updateOne({ _id: new ObjectId(other.id) }, { $set: { deletedAt: new Date(Date.now() - 31 * DAYS) } });
    expect(await usageOf(person)).toBe(CONTENT.length);
    await becomeDue(person.id, other.id);
    await waitFor('the expired one', async () => (await usageOf(person)) === 0);
  }, 60_000);

  it('are forgotten with the person', async () => {
    const person = await registerUser(service);
    await attach(await createTask(person.api), CONTENT, person.api);
    await person.api.send('DELETE', '/api/v1/users/me', { password: person.password });
    const reservations = databaseOf(service).collection('storagereservations');
    await waitFor('both to go', async () => {
      return (
        (await usageOf(person)) === 0 && (await reservations.countDocuments({ user: new ObjectId(person.id) })) === 0
      );
    });
  });
});

describe('uploads that nobody completes', () => {
  it('are given up by exactly one change, also after a kill between upload and completion', async () => {
    const task = await createTask(api);
    const created = await create(task);
    expect(await upload(created, CONTENT)).toBe(200);
    const kept = await attach(task);
    await service.kill();
    await service.start();
    const replica = await service.replica();
    s3.asked.length = 0;
    await becomeDue(user.id, task.id, created.attachment.id);
    await becomeDue(user.id, task.id, kept.id);
    await waitFor('both to be looked at', async () => (await removals().countDocuments({ 'path.1': task.id })) === 0);
    const { attachments, version } = await read(task);
    expect(attachments).toEqual([{ ...kept, state: 'complete' }]);
    expect(version).toBe(5);
    expect(s3.asked.filter((line) => line.startsWith('POST'))).toHaveLength(1);
    expect((await api.post(`${attachmentsOf(task)}/${created.attachment.id}/complete`)).status).toBe(404);
    expect((await download(task, kept)).body).toEqual(CONTENT);
    await replica.stop();
  }, 120_000);

  it.each(['after', 'before'])(
    'are refused by the store once the attachment is deleted, %s an upload',
    async (when) => {
      const task = await createTask(api);
      const created = await create(task);
      const { id } = created.attachment;
      if (when === 'after') expect(await upload(created, CONTENT)).toBe(200);
      await api.delete(`${attachmentsOf(task)}/${id}`);
      await waitFor(
        'the removal',
        async () => (await removals().countDocuments({ 'path.2': id, uploadable: true })) === 0,
      );
      expect(await upload(created, CONTENT)).toBe(412);
      s3.asked.length = 0;
      await becomeDue(user.id, task.id, id);
      await waitFor('the second look', async () => (await removals().countDocuments({ 'path.2': id })) === 0);
      // What stood in the way is gone as well. By then the URL has expired.
      expect(s3.asked.filter((line) => line.startsWith('POST'))).not.toEqual([]);
    },
  );
});

describe('while the store is away', () => {
  it('completing is answered 503, soon; all else goes on, and removals follow later', async () => {
    const task = await createTask(api);
    const attachment = await attach(task);
    const url = await downloadUrl(task, attachment);
    const created = await create(task);
    s3.setSilent(true);
    try {
      const began = Date.now();
      const unavailable = await api.post<Problem>(`${attachmentsOf(task)}/${created.attachment.id}/complete`);
      expect([unavailable.status, unavailable.body.code]).toEqual([503, 'DEPENDENCY_UNAVAILABLE']);
      expect(unavailable.headers.get('retry-after')).toBe('5');
      expect(Date.now() - began).toBeLessThan(10_000);
      expect((await api.post(attachmentsOf(task), FILE)).status).toBe(201);
      expect((await api.delete(`${attachmentsOf(task)}/${attachment.id}`)).status).toBe(204);
      const health = await api.get<{ status: string; error: object }>('/health');
      expect([health.status, health.body.error]).toEqual([200, { storage: { status: 'down' } }]);
      expect((await api.get('/health/ready')).status).toBe(200);
    } finally {
      s3.setSilent(false);
    }
    await waitFor('the object to go', async () => !(await isStored(url)), 60_000);
  }, 120_000);
});
