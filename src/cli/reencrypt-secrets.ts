import { loadEnvironment } from '../config/load-environment.js';
import { MfaCodes } from '../modules/auth/mfa-codes.js';
import type { Outcome } from './command.js';
import { withApp } from './with-app.js';

/** `reencrypt-secrets`: what is stored for good gets encrypted with the first of APP_SECRETS; run before retiring one. */
export async function reencryptSecrets(source: NodeJS.ProcessEnv): Promise<Outcome> {
  const environment = await loadEnvironment(source);
  const count = await withApp(environment, (app) => app.get(MfaCodes, { strict: false }).reencryptSecrets(), ['auth']);
  return { output: `${count} stored secrets were encrypted with the first of APP_SECRETS.` };
}
