import { createHash, createHmac } from 'node:crypto';

/** A request as far as AWS's Signature Version 4 covers it. */
export interface SigV4Request {
  method: string;
  /** Percent-encoded, without the query. */
  path: string;
  query: URLSearchParams;
  /** By lower-case name. */
  headers: Record<string, string | undefined>;
}

export interface SigV4Scope {
  /** `YYYYMMDDTHHMMSSZ` */
  date: string;
  region: string;
  signedHeaders: string[];
  payloadHash: string;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const escape = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * The signature that S3 expects, computed from AWS's description of it and not with the AWS SDK: what the tests judge the
 * service's URLs by.
 */
export function signatureOf(request: SigV4Request, scope: SigV4Scope, secretAccessKey: string): string {
  const query = [...request.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .sort();
  const headers = scope.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim()}\n`);
  const canonical = [
    request.method,
    request.path,
    query.join('&'),
    headers.join(''),
    scope.signedHeaders.join(';'),
    scope.payloadHash,
  ].join('\n');
  const day = scope.date.slice(0, 8);
  const credentialScope = `${day}/${scope.region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', scope.date, credentialScope, sha256(canonical)].join('\n');
  const key = [day, scope.region, 's3', 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, toSign).toString('hex');
}

/** Whether a request carries a right signature, in its query or its `Authorization`, that hasn't expired. */
export function isSigned(request: SigV4Request, secretAccessKey: string): boolean {
  const { query, headers } = request;
  const presigned = query.get('X-Amz-Signature');
  if (presigned !== null) {
    const date = query.get('X-Amz-Date') ?? '';
    const region = query.get('X-Amz-Credential')?.split('/')[2] ?? '';
    const signedHeaders = query.get('X-Amz-SignedHeaders')?.split(';') ?? [];
    const began = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
    const isCurrent = Date.now() < began + Number(query.get('X-Amz-Expires')) * 1000;
    const scope = { date, region, signedHeaders, payloadHash: 'UNSIGNED-PAYLOAD' };
    return isCurrent && signatureOf(request, scope, secretAccessKey) === presigned;
  }
  const given = /Credential=[^/]+\/\d+\/([\w-]+)\/s3.*SignedHeaders=([^,]+).*Signature=(\w+)/.exec(
    headers['authorization'] ?? '',
  );
  if (!given) return false;
  const [, region = '', signedHeaders = '', signature] = given;
  const scope = {
    date: headers['x-amz-date'] ?? '',
    region,
    signedHeaders: signedHeaders.split(';'),
    payloadHash: headers['x-amz-content-sha256'] ?? '',
  };
  return signatureOf(request, scope, secretAccessKey) === signature;
}
