import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { type CaughtMail, type MailCatcher, startMailCatcher } from './mail-catcher.js';

const MAIL = { from: 'api@example.com', to: 'ada@example.com', subject: 'Welcome', text: 'Come in.' };

describe('the mail catcher', () => {
  let folder: string;
  let catcher: MailCatcher;
  const caught: CaughtMail[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mail-'));
    catcher = await startMailCatcher(folder, (mail) => caught.push(mail));
  });
  afterAll(async () => {
    await catcher.stop();
    rmSync(folder, { recursive: true });
  });

  it('has written the .eml file by the time it accepts a mail', async () => {
    await createTransport(catcher.url).sendMail(MAIL);
    const [file] = readdirSync(folder);
    expect(file).toMatch(/^\d{4}-\d\d-\d\dT.*-ada@example\.com-[0-9a-f]{6}\.eml$/);
    const text = readFileSync(join(folder, file!), 'utf8');
    expect(text).toContain('Subject: Welcome');
    expect(text).toContain('Come in.');
    expect(caught).toEqual([{ file: join(folder, file!), to: ['ada@example.com'] }]);
  });

  it('accepts any login', async () => {
    const address = new URL(catcher.url);
    address.username = 'anybody';
    address.password = 'anything';
    await expect(createTransport(address.href).sendMail(MAIL)).resolves.toMatchObject({
      accepted: ['ada@example.com'],
    });
  });

  it('leaves no file behind of a mail that is broken off', async () => {
    const before = readdirSync(folder).length;
    const socket = connect(Number(new URL(catcher.url).port), '127.0.0.1');
    const replies: string[] = [];
    for (const command of ['', 'EHLO x', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA']) {
      if (command) socket.write(`${command}\r\n`);
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      replies.push(chunk.toString());
    }
    expect(replies.at(-1)).toMatch(/^354/);
    socket.write('Subject: never finished\r\n');
    socket.destroy();
    await once(socket, 'close');
    await createTransport(catcher.url).sendMail(MAIL);
    expect(readdirSync(folder).filter((name) => name.endsWith('.eml'))).toHaveLength(before + 1);
  });
});
