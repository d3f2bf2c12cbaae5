import { ConfigurationError } from '../read-variables.js';
import type { Patience, SecretSource } from './secret-source.js';
import { toSecrets } from './to-secrets.js';

const UNREACHABLE = 'check AWS_REGION, and that Secrets Manager can be reached from here';

const MENDS: Record<string, string> = {
  ResourceNotFoundException: 'there is no such secret: check AWS_SECRET_ID and AWS_REGION',
  InvalidRequestException: 'the secret has no value, or is about to be deleted: check AWS_SECRET_ID',
  AccessDeniedException: 'these credentials may not call secretsmanager:GetSecretValue for AWS_SECRET_ID',
  DecryptionFailure: 'the credentials may not call kms:Decrypt for the key of AWS_SECRET_ID',
  CredentialsProviderError:
    'there are no credentials: give the pod or machine a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  UnrecognizedClientException: 'the credentials are not valid: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  InvalidSignatureException:
    "the credentials are not valid, or this machine's clock is wrong: check AWS_SECRET_ACCESS_KEY",
  TimeoutError: `there is no answer in time: ${UNREACHABLE}`,
  ExpiredTokenException: 'the credentials have expired: check AWS_SESSION_TOKEN',
};

/**
 * The keys of a JSON secret in AWS Secrets Manager; credentials come from wherever the AWS SDK looks for them.
 *
 * @throws ConfigurationError
 */
export async function readAwsSecret(source: SecretSource, patience: Patience): Promise<Record<string, string>> {
  // Loaded here: whoever reads secrets from elsewhere doesn't pay for it.
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({
    region: source.AWS_REGION,
    maxAttempts: patience.attempts,
    requestHandler: {
      connectionTimeout: patience.timeoutMs,
      requestTimeout: patience.timeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: source.AWS_SECRET_ID }));
    return toSecrets(parse(SecretString), 'AWS_SECRET_ID');
  } catch (error) {
    throw error instanceof ConfigurationError ? error : toConfigurationError(error as NodeJS.ErrnoException);
  } finally {
    client.destroy();
  }
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** The SDK's own messages stay out: they may quote what was sent. */
function toConfigurationError({ name, code }: NodeJS.ErrnoException): ConfigurationError {
  const mend = MENDS[name] ?? UNREACHABLE;
  return new ConfigurationError(
    `AWS Secrets Manager gives no secret (${MENDS[name] ? name : (code ?? name)}): ${mend}.`,
  );
}
