#!/usr/bin/env node
/**
 * Writes what the client (packages/client) knows of the API from the OpenAPI document of the built service: its types, and
 * which requests may be repeated.
 *
 *   node scripts/generate-client.mjs [--check]     --check writes nothing, and fails where a file is outdated
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDER = join(root, 'packages/client/src');
const HEADER = '// Written by npm run generate:client, from the OpenAPI document. Changes are lost.\n';

/** Enough for the configuration to be valid; nothing is connected to. */
function placeholders() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    PUBLIC_URL: 'http://127.0.0.1',
    MONGODB_URI: 'mongodb://127.0.0.1/openapi',
    REDIS_URL: 'redis://127.0.0.1',
    SMTP_URL: 'smtp://127.0.0.1',
    MAIL_FROM: 'no-reply@example.org',
    STORAGE_PATH: '/nowhere',
    APP_SECRETS: randomBytes(48).toString('base64'),
    JWT_PRIVATE_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

function readDocument() {
  const cli = join(root, 'dist/cli.js');
  const options = { env: placeholders(), encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  return JSON.parse(execFileSync(process.execPath, [cli, 'openapi'], options));
}

/** The paths of the POST requests that the service carries out once for each `Idempotency-Key`. */
function idempotentPosts({ paths }) {
  const takesKey = ({ parameters = [] } = {}) =>
    parameters.some(({ name, $ref }) => name === 'Idempotency-Key' || $ref?.endsWith('/IdempotencyKey'));
  return Object.keys(paths).filter((path) => takesKey(paths[path].post));
}

const isCheck = process.argv[2] === '--check';
if (process.argv.length > (isCheck ? 3 : 2)) {
  console.error('usage: generate-client.mjs [--check]');
  process.exit(2);
}
const document = readDocument();
const types = await openapiTS(document, { alphabetize: true, defaultNonNullable: false });
const files = {
  'schema.ts': astToString(types),
  'idempotent-posts.ts': `/** The paths of the POST requests that the service carries out once for each \`Idempotency-Key\`. */
export const IDEMPOTENT_POSTS = ${JSON.stringify(idempotentPosts(document))};`,
};
for (const [name, code] of Object.entries(files)) {
  const file = join(FOLDER, name);
  const content = await format(HEADER + code, { ...(await resolveConfig(file)), filepath: file });
  if (existsSync(file) && readFileSync(file, 'utf8') === content) continue;
  if (isCheck) {
    console.error(`${relative(root, file)} is outdated: run npm run generate:client.`);
    process.exitCode = 1;
    continue;
  }
  writeFileSync(file, content);
  console.log(`wrote ${relative(root, file)}`);
}
