import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { MongooseModule } from '@nestjs/mongoose';
import { MigrationsModule } from '../../platform/migrations/migrations.module.js';
import { AccessTokens } from './access-tokens.js';
import { AccountDeletionController } from './account-deletion.controller.js';
import { AccountCommandsService } from './account-commands.service.js';
import { AccountLifecycleService } from './account-lifecycle.service.js';
import { AccountSeeder } from './account.seeder.js';
import { AccountsService } from './accounts.service.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { AuthController } from './auth.controller.js';
import { AuthListener } from './auth.listener.js';
import { AuthService } from './auth.service.js';
import { DeviceTokens } from './device-tokens.js';
import { EmailAddressesService } from './email-addresses.service.js';
import { JwksController } from './jwks.controller.js';
import { LoginAttempts } from './login-attempts.js';
import { LogoutService } from './logout.service.js';
import { MailQuotas } from './mail-quotas.js';
import { MfaCodes } from './mfa-codes.js';
import { MfaController } from './mfa.controller.js';
import { MfaService } from './mfa.service.js';
import { BIND_MFA_SECRETS } from './migrations/bind-mfa-secrets.js';
import { CANONICAL_MAIL_ADDRESSES } from './migrations/canonical-mail-addresses.js';
import { NORMALISE_PASSWORDS } from './migrations/normalise-passwords.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { PagesController } from './pages/pages.controller.js';
import { CommonPasswords } from './password-policy/common-passwords.js';
import { PasswordPolicy } from './password-policy/password-policy.js';
import { PwnedPasswords } from './password-policy/pwned-passwords.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordsService } from './passwords.service.js';
import { Account, AccountSchema } from './schemas/account.schema.js';
import { AttemptCounter, AttemptCounterSchema } from './schemas/attempt-counter.schema.js';
import { AuditEntry, AuditEntrySchema } from './schemas/audit-entry.schema.js';
import { Email, EmailSchema } from './schemas/email.schema.js';
import { OneTimeToken, OneTimeTokenSchema } from './schemas/one-time-token.schema.js';
import { PasswordResetRequest, PasswordResetRequestSchema } from './schemas/password-reset-request.schema.js';
import { Session, SessionSchema } from './schemas/session.schema.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';
import { StepUpService } from './step-up.service.js';

@Module({
  imports: [
    JwtModule.register({}),
    MongooseModule.forFeature([
      { name: Account.name, schema: AccountSchema },
      { name: AttemptCounter.name, schema: AttemptCounterSchema },
      { name: AuditEntry.name, schema: AuditEntrySchema },
      { name: Email.name, schema: EmailSchema },
      { name: OneTimeToken.name, schema: OneTimeTokenSchema },
      { name: PasswordResetRequest.name, schema: PasswordResetRequestSchema },
      { name: Session.name, schema: SessionSchema },
    ]),
    MigrationsModule.forFeature('auth', [BIND_MFA_SECRETS, ...CANONICAL_MAIL_ADDRESSES, NORMALISE_PASSWORDS]),
  ],
  controllers: [
    AuthController,
    SessionsController,
    MfaController,
    ApiKeysController,
    AuditController,
    AccountDeletionController,
    JwksController,
    PagesController,
  ],
  providers: [
    AccessTokens,
    AccountCommandsService,
    AccountLifecycleService,
    AccountSeeder,
    AccountsService,
    ApiKeysService,
    AuditService,
    AuthListener,
    AuthService,
    CommonPasswords,
    DeviceTokens,
    EmailAddressesService,
    LoginAttempts,
    LogoutService,
    MailQuotas,
    MfaCodes,
    MfaService,
    OneTimeTokens,
    PasswordHasher,
    PasswordPolicy,
    PasswordsService,
    PwnedPasswords,
    SessionsService,
    StepUpService,
  ],
  exports: [AuthService],
})
export class AuthModule {}
