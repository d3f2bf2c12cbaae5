import { IsIn, IsOptional, IsUrl, Matches, ValidateIf } from 'class-validator';

/** How long a secret source may take for an answer, and how often it is asked before the boot fails. */
export interface Patience {
  timeoutMs: number;
  attempts: number;
  /** Before the second attempt; twice as long before the third, and so on. */
  pauseMs: number;
}

const fromVault = ({ SECRETS_SOURCE }: SecretSource) => SECRETS_SOURCE === 'vault';
const fromAws = ({ SECRETS_SOURCE }: SecretSource) => SECRETS_SOURCE === 'aws-secrets-manager';

/** Where the secrets are, and what it takes to read them: itself always from the environment or from files. */
export class SecretSource {
  @IsIn(['env', 'vault', 'aws-secrets-manager'], { message: 'must be env, vault or aws-secrets-manager' })
  readonly SECRETS_SOURCE: 'env' | 'vault' | 'aws-secrets-manager' = 'env';

  @ValidateIf(fromVault)
  @IsUrl({ require_tld: false, protocols: ['http', 'https'] }, { message: "must be Vault's http(s) address" })
  readonly VAULT_ADDR!: string;

  @ValidateIf(fromVault)
  @Matches(/^[^\s/?#]+(\/[^\s/?#]+)*\/data(\/[^\s/?#]+)+$/, {
    message: 'must be the path of a KV version 2 secret, with data/ after the mount, such as secret/data/scalable-api',
  })
  readonly VAULT_SECRET_PATH!: string;

  @ValidateIf((variables: SecretSource) => fromVault(variables) && !variables.VAULT_ROLE)
  @Matches(/^[!-~]+$/, { message: 'must hold a token of Vault, where VAULT_ROLE names no Kubernetes role' })
  readonly VAULT_TOKEN?: string;

  @IsOptional()
  @Matches(/\S/, { message: "must be a role of Vault's Kubernetes login" })
  readonly VAULT_ROLE?: string;

  @Matches(/^[^\s/?#]+(\/[^\s/?#]+)*$/, { message: 'must be where the Kubernetes login is mounted in Vault' })
  readonly VAULT_AUTH_PATH: string = 'auth/kubernetes';

  @IsOptional()
  @Matches(/^[!-~]+$/, { message: "must be a Kubernetes service account's token" })
  readonly VAULT_JWT?: string;

  @IsOptional()
  @Matches(/^[!-~]+$/, { message: 'must be a namespace of Vault' })
  readonly VAULT_NAMESPACE?: string;

  @IsOptional()
  @Matches(/\S/, { message: 'must be the path of a file with the certificates to trust' })
  readonly VAULT_CACERT?: string;

  @ValidateIf(fromAws)
  @Matches(/^\S+$/, { message: 'must be the name or ARN of a secret in AWS Secrets Manager' })
  readonly AWS_SECRET_ID!: string;

  @ValidateIf(fromAws)
  @Matches(/^[a-z]{2,}(-[a-z]+)+-\d+$/, { message: 'must be a region such as eu-central-1' })
  readonly AWS_REGION!: string;
}
