import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { freePort } from './ports.js';

/** A mail that was kept. */
export interface CaughtMail {
  /** The `.eml` file. */
  file: string;
  /** Envelope recipients. */
  to: string[];
}

/** An SMTP server that delivers into a folder. */
export interface MailCatcher {
  /** `smtp://127.0.0.1:port` */
  url: string;
  stop(): Promise<void>;
}

/** Sorts by time; says for whom it is; safe on every file system. */
export function mailFileName(at: Date, recipient: string, unique: string): string {
  const time = at.toISOString().replace(/[:.]/g, '-');
  return `${time}-${recipient.replace(/[^A-Za-z0-9@._+-]/g, '_').slice(0, 80)}-${unique}.eml`;
}

async function keep(stream: SMTPServerDataStream, session: SMTPServerSession, folder: string): Promise<CaughtMail> {
  const to = session.envelope.rcptTo.map(({ address }) => address);
  const name = mailFileName(new Date(), to[0] ?? 'nobody', randomBytes(3).toString('hex'));
  const file = join(folder, name);
  // Written under another name first: whoever watches the folder for .eml files only ever sees whole ones.
  const draft = join(folder, `.${name}.unfinished`);
  await writeFile(draft, await buffer(stream));
  await rename(draft, file);
  return { file, to };
}

/**
 * Accepts every mail, with any login or none, on loopback only, and writes it to `folder` before it says yes.
 *
 * @param port the one to use if it is free, else the next; without it any
 */
export async function startMailCatcher(
  folder: string,
  onMail: (mail: CaughtMail) => void = () => undefined,
  port?: number,
): Promise<MailCatcher> {
  mkdirSync(folder, { recursive: true });
  const listening = await freePort(port);
  const server = new SMTPServer({
    banner: 'local mail catcher',
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    onAuth: (auth, _session, callback) => callback(null, { user: auth.username ?? 'anybody' }),
    onData(stream, session, callback) {
      keep(stream, session, folder).then(
        (mail) => {
          callback();
          onMail(mail);
        },
        (error: Error) => callback(error),
      );
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listening, '127.0.0.1', resolve);
  });
  // From here on an error is one client's broken connection, which it sees for itself.
  server.on('error', () => undefined);
  return {
    url: `smtp://127.0.0.1:${listening}`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The port the launcher asks for first. */
export const USUAL_SMTP_PORT = 1025;
