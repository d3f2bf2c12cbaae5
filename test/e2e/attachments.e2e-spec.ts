import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { ObjectId } from 'mongodb';
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
  return (await sendFile(url)).status === 200;
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
    expect([completed.status, completed.body]).toEqual([200, { attachment: { ...attachment, state: 'complete' } }]);
    expect((await read(task)).attachments).toEqual([{ ...attachment, state: 'complete' }]);
    const { headers, body } = await download(task, attachment);
    expect(body).toEqual(CONTENT);
    expect(headers['content-type']).toBe('text/csv');
    expect(headers['content-disposition']).toBe("attachment; filename*=UTF-8''Zahlen%20M%C3%A4rz.csv");
  });

  it('may have 25 MiB, none of which passes through the service', async () => {
    const task = await createTask(api);
    const content = randomBytes(25 * 1024 * 1024);
    const attachment = await attach(task, content);
    const { body } = await download(task, attachment);
    expect(createHash('sha256').update(body).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('changes the task: its version, its tag, its history, and the cached list', async () => {
    const task = await createTask(api);
    const listed = async () => (await api.get<{ data: TaskBody[] }>(TASKS)).body.data.find(({ id }) => id === task.id);
    const versions = [(await listed())?.version];
    const created = await create(task);
    versions.push((await listed())?.version);
    await upload(created, CONTENT);
    await api.post(`${attachmentsOf(task)}/${created.attachment.id}/complete`);
    versions.push((await listed())?.version);
    await api.delete(`${attachmentsOf(task)}/${created.attachment.id}`);
    versions.push((await listed())?.version);
    expect(versions).toEqual([1, 2, 3, 4]);
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

  it('is created once for one idempotency key', async () => {
    const task = await createTask(api);
    const header = { 'Idempotency-Key': randomUUID() };
    const [first, second] = [
      await api.post(attachmentsOf(task), FILE, header),
      await api.post(attachmentsOf(task), FILE, header),
    ];
    expect([second.status, second.body]).toEqual([201, first.body]);
    expect((await read(task)).attachments).toHaveLength(1);
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

  it('are looked for again after a removal, as their URL still worked', async () => {
    const task = await createTask(api);
    const created = await create(task);
    const { id } = created.attachment;
    await api.delete(`${attachmentsOf(task)}/${id}`);
    await waitFor('the first look', async () => (await removals().countDocuments({ 'path.2': id })) === 1);
    expect(await upload(created, CONTENT)).toBe(200);
    s3.asked.length = 0;
    await becomeDue(user.id, task.id, id);
    await waitFor('the second look', async () => (await removals().countDocuments({ 'path.2': id })) === 0);
    expect(s3.asked.filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });
});

describe('while the store is away', () => {
  it('completing is answered 503, soon; all else goes on, and removals are made up for', async () => {
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
