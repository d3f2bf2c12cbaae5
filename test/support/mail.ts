import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './wait-for.js';

/** A mail as its reader sees it. */
export interface ReceivedMail {
  to: string;
  subject: string;
  messageId: string;
  text: string;
  html: string;
  /** By their names in lower case. */
  headers: Map<string, string>;
}

/** All mails to this address so far, the oldest first. */
export function mailsTo(address: string): ReceivedMail[] {
  const folder = process.env['TEST_MAIL_DIR'];
  if (!folder) throw new Error('TEST_MAIL_DIR is not set');
  const names = readdirSync(folder).filter((name) => name.endsWith('.eml') && name.includes(`-${address}-`));
  return names.sort().map((name) => parse(readFileSync(join(folder, name), 'utf8')));
}

/** The first mail to this address that `matches`, as soon as it is there. */
export async function mailTo(
  address: string,
  matches: (mail: ReceivedMail) => boolean = () => true,
): Promise<ReceivedMail> {
  return await waitFor(`a mail to ${address}`, () => mailsTo(address).find(matches));
}

/** The one-time token of the link in a mail. */
export function tokenIn({ text }: ReceivedMail): string {
  const [, token] = /#token=([\w.-]+)/.exec(text) ?? [];
  if (token === undefined) throw new Error(`no link with a token in: ${text}`);
  return token;
}

interface Part {
  headers: Map<string, string>;
  body: string;
}

/** Enough of RFC 5322 and 2045 for the mails that a sender of ours makes. */
function parse(source: string): ReceivedMail {
  const mail = toPart(source);
  const parts = leavesOf(mail);
  const contentOf = (type: string): string => {
    const part = parts.find(({ headers }) => (headers.get('content-type') ?? 'text/plain').startsWith(type));
    return part ? decode(part) : '';
  };
  return {
    headers: mail.headers,
    to: mail.headers.get('to') ?? '',
    subject: decodeWords(mail.headers.get('subject') ?? ''),
    messageId: mail.headers.get('message-id') ?? '',
    text: contentOf('text/plain'),
    html: contentOf('text/html'),
  };
}

function toPart(source: string): Part {
  const [head = '', ...rest] = source.replaceAll('\r\n', '\n').split('\n\n');
  const unfolded = head.replace(/\n[ \t]+/g, ' ').split('\n');
  const headers = unfolded.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { headers: new Map(headers), body: rest.join('\n\n') };
}

function leavesOf(part: Part): Part[] {
  const [, boundary] = /boundary="?([^";]+)"?/.exec(part.headers.get('content-type') ?? '') ?? [];
  if (boundary === undefined) return [part];
  const sections = `\n${part.body}`.split(`\n--${boundary}`).slice(1, -1);
  return sections.flatMap((section) => leavesOf(toPart(section.replace(/^\n/, ''))));
}

function decode({ headers, body }: Part): string {
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase();
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  return encoding === 'quoted-printable' ? fromQuotedPrintable(body) : body;
}

function fromQuotedPrintable(text: string): string {
  const bytes = text
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function decodeWords(header: string): string {
  return header.replace(/=\?utf-8\?([bq])\?([^?]*)\?=\s*/gi, (_, encoding: string, content: string) =>
    encoding.toLowerCase() === 'b'
      ? Buffer.from(content, 'base64').toString('utf8')
      : fromQuotedPrintable(content.replaceAll('_', ' ')),
  );
}
