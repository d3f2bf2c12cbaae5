import { signatureOf } from './sigv4.js';

/** The key of AWS's own examples. */
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const DATE = '20130524T000000Z';

describe('what the tests know of Signature Version 4 agrees with the examples in the documentation of S3', () => {
  it('for a presigned URL', () => {
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
      'X-Amz-Date': DATE,
      'X-Amz-Expires': '86400',
      'X-Amz-SignedHeaders': 'host',
    });
    const request = { method: 'GET', path: '/test.txt', query, headers: { host: 'examplebucket.s3.amazonaws.com' } };
    const scope = { date: DATE, region: 'us-east-1', signedHeaders: ['host'], payloadHash: 'UNSIGNED-PAYLOAD' };
    expect(signatureOf(request, scope, SECRET)).toBe(
      'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    );
  });

  it('for a signed header', () => {
    const payloadHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const headers = {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': payloadHash,
      'x-amz-date': DATE,
    };
    const request = { method: 'GET', path: '/test.txt', query: new URLSearchParams(), headers };
    const scope = { date: DATE, region: 'us-east-1', signedHeaders: Object.keys(headers), payloadHash };
    expect(signatureOf(request, scope, SECRET)).toBe(
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });
});
