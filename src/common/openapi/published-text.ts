import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUnchanged } from '../http/etag.js';

const HASH_LENGTH = 22;
/** Compressed once, then sent many times. */
const BROTLI = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
};

type Coding = 'br' | 'gzip' | 'identity';

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
    const coding = chooseCoding(request.headers['accept-encoding']);
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
    const hash = createHash('sha256').update(content).digest('base64url').slice(0, HASH_LENGTH);
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

/** The smallest coding that the client accepts (RFC 9110, 12.5.3); one with the weight 0 is not accepted. */
function chooseCoding(header: string | string[] | undefined): Coding {
  const accepted = new Set(
    String(header ?? '')
      .toLowerCase()
      .split(',')
      .map((each) => each.split(';').map((part) => part.trim()))
      .filter(([, weight]) => !/^q=0(\.0*)?$/.test(weight ?? ''))
      .map(([coding]) => coding),
  );
  return (['br', 'gzip'] as const).find((coding) => accepted.has(coding)) ?? 'identity';
}
