import { request } from 'node:http';

/** What the API answers to somebody who wants to upload. */
export interface UploadBody {
  uploadUrl: string;
  method: string;
  headers: Record<string, string>;
  expiresAt: string;
}

export interface FileAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Less than tests wait for what a store is to come to: a request without an answer is made again. */
const TIMEOUT_MS = 20_000;

/** A request to a store: goes out with these headers and no others. */
export function sendFile(
  url: string,
  method = 'GET',
  headers: Record<string, string> = {},
  body: Buffer = Buffer.alloc(0),
): Promise<FileAnswer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sending = request(url, { method, headers, agent: false, signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    sending.on('error', reject).end(body);
  });
}

/** Uploads as it was told to. @returns the status */
export async function upload(
  { uploadUrl, method, headers }: Omit<UploadBody, 'expiresAt'>,
  content: Buffer,
  otherHeaders: Record<string, string> = {},
): Promise<number> {
  return (await sendFile(uploadUrl, method, { ...headers, ...otherHeaders }, content)).status;
}
