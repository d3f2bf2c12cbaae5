#!/usr/bin/env node
/**
 * Writes the types of the client (packages/client/src/schema.ts) from the OpenAPI document of the built service.
 *
 *   node scripts/generate-client.mjs [--check]     --check writes nothing, and fails where the file is outdated
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const FILE = join(root, 'packages/client/src/schema.ts');
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

const types = await openapiTS(readDocument(), { alphabetize: true, defaultNonNullable: false });
const content = await format(HEADER + astToString(types), { ...(await resolveConfig(FILE)), filepath: FILE });
if (existsSync(FILE) && readFileSync(FILE, 'utf8') === content) process.exit(0);
if (process.argv.includes('--check')) {
  console.error(`${relative(root, FILE)} is outdated: run npm run generate:client.`);
  process.exit(1);
}
writeFileSync(FILE, content);
console.log(`wrote ${relative(root, FILE)}`);
