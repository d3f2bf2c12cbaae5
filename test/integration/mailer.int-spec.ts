import type { Environment } from '../../src/config/environment.js';
import { EmailChannel } from '../../src/modules/notifications/email/email-channel.js';
import { type Mail, Mailer } from '../../src/modules/notifications/email/mailer.js';
import { Claim, ClaimLost } from '../../src/platform/work/claim.js';
import { type SmtpStandIn, startSmtpStandIn } from '../support/smtp-stand-in.js';

let smtp: SmtpStandIn;
let mailer: Mailer;
const recipients: string[] = [];
beforeAll(async () => {
  smtp = await startSmtpStandIn({
    onRecipient: (address) => {
      recipients.push(address);
      return 'accept';
    },
  });
  const variables = { SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@example.org', PUBLIC_URL: 'http://localhost' };
  const environment = variables as Environment;
  mailer = new Mailer(environment, environment, environment);
});
afterAll(async () => {
  mailer.onApplicationShutdown();
  await smtp.close();
});

const mailTo = (to: string, beforeMessage: Mail['beforeMessage']): Mail => ({
  ...{ id: to, to, subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' },
  beforeMessage,
});

describe('a mail', () => {
  it('is asked for once the server has accepted its recipient, and then sent', async () => {
    const before: string[][] = [];
    const beforeMessage = async () => void before.push([...recipients]);
    await mailer.send(mailTo('first@example.org', beforeMessage));
    expect(before).toEqual([['first@example.org']]);
    expect(smtp.accepted.map(({ to }) => to)).toEqual(['first@example.org']);
    expect(smtp.accepted[0]?.source).toContain('<p>Hello</p>');
  });

  it('that another process has taken over meanwhile is not sent, and the next one is', async () => {
    const lost = mailer.send(mailTo('lost@example.org', () => Promise.reject(new ClaimLost())));
    await expect(lost).rejects.toBeInstanceOf(ClaimLost);
    await mailer.send(mailTo('next@example.org', async () => undefined));
    expect(recipients).toContain('lost@example.org');
    expect(smtp.accepted.map(({ to }) => to)).toEqual(['first@example.org', 'next@example.org']);
  });

  it('that is not sent since the database does not answer is no failure of the mail server', async () => {
    const away = new Error('the database does not answer');
    const claim = new Claim(() => Promise.reject(away), 60_000, -Infinity);
    const delivery = { _id: 'a', event: 'account.password-changed', data: {}, to: 'away@example.org', token: null };
    const lists = { digestOf: [], collapsed: [], collapsedCount: 1 };
    const unused = {} as never;
    const channel = new EmailChannel(mailer, unused, unused, unused, unused);
    await expect(channel.send({ ...delivery, ...lists } as never, null, claim)).rejects.toBe(away);
    expect(recipients).toContain('away@example.org');
    expect(smtp.accepted.map(({ to }) => to)).not.toContain('away@example.org');
  });
});
