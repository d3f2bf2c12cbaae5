import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { MongooseModule } from '@nestjs/mongoose';
import { AccessTokens } from './access-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthListener } from './auth.listener.js';
import { AuthService } from './auth.service.js';
import { EmailVerificationService } from './email-verification.service.js';
import { JwksController } from './jwks.controller.js';
import { PasswordHasher } from './password-hasher.js';
import { Account, AccountSchema } from './schemas/account.schema.js';
import { Email, EmailSchema } from './schemas/email.schema.js';
import { OneTimeToken, OneTimeTokenSchema } from './schemas/one-time-token.schema.js';
import { Session, SessionSchema } from './schemas/session.schema.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [
    JwtModule.register({}),
    MongooseModule.forFeature([
      { name: Account.name, schema: AccountSchema },
      { name: Email.name, schema: EmailSchema },
      { name: OneTimeToken.name, schema: OneTimeTokenSchema },
      { name: Session.name, schema: SessionSchema },
    ]),
  ],
  controllers: [AuthController, JwksController],
  providers: [AuthService, SessionsService, EmailVerificationService, AccessTokens, PasswordHasher, AuthListener],
  exports: [AuthService],
})
export class AuthModule {}
