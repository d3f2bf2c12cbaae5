import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { type Authority, makeAuthority } from '../support/certificates.js';
import { databaseOf } from '../support/database.js';
import { startService } from '../support/service.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface MailServer {
  url: string;
  /** How many mails came, by whether the connection was encrypted. */
  received: { secure: number; plain: number };
  close(): Promise<void>;
}

/** @param tls undefined for a server that offers no STARTTLS */
async function startMailServer(tls?: { key: string; cert: string }): Promise<MailServer> {
  const received = { secure: 0, plain: 0 };
  const server = new SMTPServer({
    ...tls,
    authOptional: true,
    ...(tls ? {} : { disabledCommands: ['STARTTLS'] }),
    onData: (stream, session, callback) =>
      void text(stream).then(() => {
        received[session.secure ? 'secure' : 'plain']++;
        callback();
      }),
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://localhost:${port}`,
    received,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

let authority: Authority;
beforeAll(() => {
  authority = makeAuthority('mail');
});
afterAll(() => authority.remove());

describe('SMTP_TLS=required', () => {
  it('sends by STARTTLS', async () => {
    const server = await startMailServer(authority.issue('localhost'));
    const trust = { NODE_EXTRA_CA_CERTS: authority.certFile };
    const service = await startService({ ...trust, SMTP_URL: server.url, SMTP_TLS: 'required' });
    await registerUser(service);
    await waitFor('the mail', () => server.received.secure === 1);
    expect(server.received.plain).toBe(0);
    await service.stop();
    await server.close();
  });

  it('sends nothing to a server that offers no TLS, and says so and what to do', async () => {
    const server = await startMailServer();
    const service = await startService({ SMTP_URL: server.url, SMTP_TLS: 'required' });
    await waitFor('the sentence', () => service.logs().includes('set SMTP_TLS=optional for a relay on this machine'));
    await registerUser(service);
    await waitFor('an attempt', () =>
      databaseOf(service).collection('deliveries').findOne({ channel: 'email', lastError: 'unreachable' }),
    );
    expect(server.received).toEqual({ secure: 0, plain: 0 });
    await service.stop();
    await server.close();
  });

  it('is the default in production alone', async () => {
    const server = await startMailServer();
    const production = await startService({ NODE_ENV: 'production', SMTP_URL: server.url });
    await waitFor('the sentence', () =>
      production.logs().includes('SMTP_URL leads to a server that offers no STARTTLS'),
    );
    await production.stop();
    const other = await startService({ SMTP_URL: server.url });
    await registerUser(other);
    await waitFor('the mail', () => server.received.plain === 1);
    await other.stop();
    await server.close();
  });
});
