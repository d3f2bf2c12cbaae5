import { previewOpenApiDocument } from '../bootstrap.js';
import { loadEnvironment } from '../config/load-environment.js';
import { createLogger } from '../platform/observability/logger.js';
import type { Outcome } from './command.js';

/** `openapi`: the document that the service publishes at `/docs/openapi.json`, from the code alone. */
export async function openApi(source: NodeJS.ProcessEnv): Promise<Outcome> {
  const environment = await loadEnvironment(source);
  const document = await previewOpenApiDocument(environment, createLogger('error'));
  return { output: JSON.stringify(document, null, 2) };
}
