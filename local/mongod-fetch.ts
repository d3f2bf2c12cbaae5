/**
 * Run as a program of its own (`node mongod-fetch.js <download folder>`), so that what mongodb-memory-server
 * prints can be kept off the screen and an interrupted start can end it. Its last line is the result:
 * `mongod <path>` or `refused <reason>`.
 */
import { request } from 'node:https';
import { DryMongoBinary, MongoBinary } from 'mongodb-memory-server-core';
import { MongoBinaryDownloadUrl } from 'mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js';

const PROBE_MS = 2000;

const PROXIED = ['https_proxy', 'http_proxy', 'HTTPS_PROXY', 'HTTP_PROXY'].some((name) => process.env[name]);

/** Asks for the file's head: the library's own three attempts take many seconds where the host can't be reached. */
function probe(url: string): Promise<void> {
  const host = new URL(url).host;
  return new Promise((resolve, reject) => {
    const head = request(url, { method: 'HEAD', timeout: PROBE_MS }, ({ statusCode = 0 }) => {
      head.destroy();
      if (statusCode < 400) resolve();
      else reject(new Error(`${host} answers ${statusCode}`));
    });
    head.once('timeout', () => head.destroy(new Error('no answer in 2 s')));
    head.once('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(`${host} can't be reached (${error.code ?? error.message})`));
    });
    head.end();
  });
}

async function find(downloadDir: string): Promise<string> {
  const anywhere = await DryMongoBinary.generateOptions();
  const present = await DryMongoBinary.locateBinary(anywhere);
  if (present) return present;
  const options = await DryMongoBinary.generateOptions({ downloadDir });
  if (!PROXIED) await probe(await new MongoBinaryDownloadUrl(options).getDownloadUrl());
  return MongoBinary.getPath({ ...options, downloadDir });
}

try {
  console.log(`mongod ${await find(process.argv[2]!)}`);
} catch (error) {
  const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
  console.log(`refused ${line}`);
}
process.exit(0);
