import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { sha256 } from '../crypto/digest.js';
import { isUnchanged } from '../http/etag.js';

const HASH_LENGTH = 22;
/** Compressed once, then sent many times. */
const BROTLI = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
};

/** The smallest first. */
const CODINGS = ['br', 'gzip', 'identity'] as const;
type Coding = (typeof CODINGS)[number];

interface Representation {
  body: Buffer;
  etag: string;
}

/** A text that is the same for everybody: made at the first request, kept compressed, and revalidated by its `ETag`. */
export class PublishedText {
  private content: Promise<Buffer> | undefined;
  private readonly representations = new Map<Coding, Promise<Representation>>();

  /** @param make makes the text; called again after it has failed */
  constructor(
    private readonly contentType: string,
    private readonly make: () => Promise<string | Buffer>,
  ) {}

  /**
   * Answers a GET or HEAD with the text, or 304 where `If-None-Match` names what it would be.
   *
   * @throws VersionMismatchError where `If-Match` names another one
   */
  async send(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const coding = chooseCoding(request);
    const { body, etag } = await this.representation(coding);
    void reply.headers({ ETag: etag, 'Cache-Control': 'no-cache' }).header('Vary', varyOf(reply));
    if (isUnchanged(request.headers, etag)) return reply.status(304).send();
    if (coding !== 'identity') void reply.header('Content-Encoding', coding);
    return reply.type(this.contentType).send(body);
  }

  private async representation(coding: Coding): Promise<Representation> {
    const known = this.representations.get(coding);
    if (known) return await known;
    const made = this.encode(coding);
    this.representations.set(coding, made);
    made.catch(() => this.representations.delete(coding));
    return await made;
  }

  private async encode(coding: Coding): Promise<Representation> {
    this.content ??= this.make().then((text) => Buffer.from(text));
    this.content.catch(() => (this.content = undefined));
    const content = await this.content;
    const hash = sha256(content).slice(0, HASH_LENGTH);
    // RFC 9110, 8.8.3: the tags of two codings of one text differ.
    if (coding === 'br') return { body: await promisify(brotliCompress)(content, BROTLI), etag: `"${hash}-br"` };
    if (coding === 'gzip') return { body: await promisify(gzip)(content), etag: `"${hash}-gzip"` };
    return { body: content, etag: `"${hash}"` };
  }
}

/** The answer depends on it; CORS has put something there, too. */
function varyOf(reply: FastifyReply): string {
  return [reply.getHeader('Vary'), 'Accept-Encoding'].filter(Boolean).join(', ');
}

/** The smallest coding that the client accepts (RFC 9110, 12.5.3). */
function chooseCoding({ headers }: FastifyRequest): Coding {
  const accepted = new Negotiator({ headers }).encodings([...CODINGS]);
  return CODINGS.find((coding) => accepted.includes(coding)) ?? 'identity';
}
