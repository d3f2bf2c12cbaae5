import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** What the server does at one step of a mail; refusals are `[code, text]`. */
export type Step = 'accept' | 'hang up' | 'say nothing' | [code: number, text: string] | Promise<'accept'>;

export interface SmtpBehaviour {
  /** @param attempt how often this address was given, from 1 */
  onRecipient?: (address: string, attempt: number) => Step;
  /** When the whole message is there: what the final dot is answered. */
  onMessage?: (address: string, attempt: number) => Step;
}

export interface AcceptedMail {
  to: string;
  messageId: string;
  source: string;
  at: number;
}

export interface SmtpStandIn {
  url: string;
  port: number;
  /** What was answered 250, in order. */
  accepted: AcceptedMail[];
  close(): Promise<void>;
}

/** A mail server that refuses, stalls and breaks as a test tells it to. */
export async function startSmtpStandIn(behaviour: SmtpBehaviour, port = 0): Promise<SmtpStandIn> {
  const accepted: AcceptedMail[] = [];
  const counts = new Map<string, number>();
  const count = (key: string) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts.get(key) as number;
  };
  const server: SMTPServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onRcptTo({ address }, session, callback) {
      void follow(behaviour.onRecipient?.(address, count(`rcpt ${address}`)), session.id, callback);
    },
    onData(stream, session, callback) {
      const to = session.envelope.rcptTo[0]?.address ?? '';
      const received = text(stream).then(async (source) => {
        const messageId = /^Message-ID: (.+)$/im.exec(source)?.[1]?.trim() ?? '';
        const accept = () => accepted.push({ to, messageId, source, at: Date.now() });
        await follow(behaviour.onMessage?.(to, count(`data ${to}`)), session.id, (error) => {
          if (!error) accept();
          callback(error);
        });
      });
      received.catch(() => undefined); // its client has gone in the middle of it
    },
  });
  const hangUp = (id: string) => {
    for (const connection of server.connections as Set<{ id: string; _socket: { destroy(): void } }>) {
      if (connection.id === id) connection._socket.destroy();
    }
  };
  const follow = async (step: Step | undefined, id: string, callback: (error?: Error | null) => void) => {
    const outcome = await (step === undefined ? 'accept' : step);
    if (outcome === 'accept') callback();
    else if (outcome === 'hang up') hangUp(id);
    else if (outcome !== 'say nothing') callback(Object.assign(new Error(outcome[1]), { responseCode: outcome[0] }));
  };
  server.on('error', () => undefined); // one client's broken connection
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  const { port: listening } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${listening}`,
    port: listening,
    accepted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of server.connections as Set<{ _socket: { destroy(): void } }>)
          connection._socket.destroy();
      }),
  };
}
