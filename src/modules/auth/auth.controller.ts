import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import {
  CurrentUser,
  type Principal,
  OptionalSession,
  Public,
  type SessionPrincipal,
} from '../../common/auth/principal.js';
import { type Client, CurrentClient } from '../../common/http/client.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { RequiresStepUp } from '../../platform/step-up/requires-step-up.decorator.js';
import { StrictRateLimit } from '../../platform/throttling/rate-limit.guard.js';
import { AuthService } from './auth.service.js';
import {
  ChangeEmailDto,
  ChangePasswordDto,
  ForgotPasswordDto,
  LoginDto,
  LoginMfaDto,
  RefreshDto,
  RegisterDto,
  ResetPasswordDto,
  VerifyEmailDto,
} from './dto/auth-requests.dto.js';
import { TokensResponseDto } from './dto/tokens-response.dto.js';
import { EmailAddressesService } from './email-addresses.service.js';
import { PasswordsService } from './passwords.service.js';
import { RefreshRateLimitGuard } from './refresh-rate-limit.guard.js';

@ApiTags('Auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly passwords: PasswordsService,
    private readonly emails: EmailAddressesService,
  ) {}

  /**
   * Create an account and log in.
   *
   * @remarks Answers the tokens of a first session and mails a link that verifies the address. Until it is verified, some
   * operations answer 403 `EMAIL_UNVERIFIED`. An address that has an account is 409 `EMAIL_TAKEN`. A password that is
   * common, or derived from the other fields, is 400.
   */
  @ApiProblems('EMAIL_TAKEN')
  @Public()
  @StrictRateLimit()
  @Post('register')
  register(@Body() body: RegisterDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.register(body, client);
  }

  /**
   * Log in with email and password.
   *
   * @remarks Answers the tokens of a new session. An unknown address is answered like a wrong password, 401
   * `INVALID_CREDENTIALS`. Where a second factor is on, a correct password is answered 401 `MFA_REQUIRED` with an
   * `mfaToken` for `POST /api/v1/auth/login/mfa`. After repeated failures, log-ins are 423 `ACCOUNT_LOCKED` until
   * `Retry-After`; with a `deviceToken`, only failures of that device count. A user has at most 50 sessions: one more
   * ends the oldest.
   */
  @ApiProblems('INVALID_CREDENTIALS', 'MFA_REQUIRED', 'ACCOUNT_SUSPENDED', 'ACCOUNT_LOCKED')
  @Public()
  @StrictRateLimit()
  @HttpCode(200)
  @Post('login')
  login(@Body() body: LoginDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.login(body, client);
  }

  /**
   * Finish a log-in with the second factor.
   *
   * @remarks Follows a log-in that was answered `MFA_REQUIRED`. The `mfaToken` is valid for five minutes, five attempts
   * and one success; after that, and with a wrong code, the answer is 401 `INVALID_CREDENTIALS`. Failures count towards
   * the lock of the account.
   */
  @ApiProblems('INVALID_CREDENTIALS', 'ACCOUNT_SUSPENDED', 'ACCOUNT_LOCKED')
  @Public()
  @StrictRateLimit()
  @HttpCode(200)
  @Post('login/mfa')
  loginMfa(@Body() body: LoginMfaDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.loginMfa(body, client);
  }

  /**
   * Exchange a refresh token for new tokens.
   *
   * @remarks Each refresh token works once. Sent again within ten seconds, while its successor is unused, it is answered
   * with the same successor, so that a lost answer can be fetched again. Later, it is taken for stolen: 401
   * `REFRESH_TOKEN_REUSED`, and the session ends. An unknown or expired token is 401 `UNAUTHENTICATED`. Counted per
   * session, not per address.
   */
  @ApiProblems('UNAUTHENTICATED', 'REFRESH_TOKEN_REUSED', 'ACCOUNT_SUSPENDED')
  @Public()
  @SkipThrottle({ general: true, strict: true })
  @UseGuards(RefreshRateLimitGuard)
  @HttpCode(200)
  @Post('refresh')
  refresh(@Body() body: RefreshDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.refresh(body.refreshToken, client);
  }

  /**
   * Ask for a link that sets a new password.
   *
   * @remarks Always answered 202, in the same time, so the answer does not reveal whether the address has an account. The
   * mail is limited to a few an hour per address. Its link works once, within an hour.
   */
  @Public()
  @StrictRateLimit()
  @HttpCode(202)
  @Post('password/forgot')
  forgotPassword(@Body() body: ForgotPasswordDto, @CurrentClient() client: Client): Promise<void> {
    return this.passwords.forgot(body.email, client);
  }

  /**
   * Set a new password with the token from the mail.
   *
   * @remarks Ends all sessions, removes all API keys and lifts a lock of the account. If the address was never verified,
   * everything that was set up before is removed too. A token that is unknown, used or expired is 400 `INVALID_TOKEN`.
   */
  @ApiProblems('INVALID_TOKEN')
  @Public()
  @StrictRateLimit()
  @HttpCode(204)
  @Post('password/reset')
  resetPassword(@Body() body: ResetPasswordDto, @CurrentClient() client: Client): Promise<void> {
    return this.passwords.reset(body.token, body.password, client);
  }

  /**
   * Change your password.
   *
   * @remarks Ends all your other sessions, and removes your API keys unless `keepApiKeys` is true. A wrong current
   * password is 401 `INVALID_CREDENTIALS`.
   */
  @ApiProblems('INVALID_CREDENTIALS')
  @StrictRateLimit()
  @HttpCode(204)
  @Post('password/change')
  changePassword(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: ChangePasswordDto,
    @CurrentClient() client: Client,
  ): Promise<void> {
    return this.passwords.change(user, body, client);
  }

  /**
   * Confirm an email address with the token from the mail.
   *
   * @remarks Takes a session of the account that the token belongs to, or the password of that account in the body.
   * Without either the answer is 401 `UNAUTHENTICATED`, and the token stays valid. After `POST
   * /api/v1/auth/email/change`, the account moves to the new address, or 409 `EMAIL_TAKEN` if another account has it by
   * now. A token that is unknown, used, expired or of another account is 400 `INVALID_TOKEN`.
   */
  @ApiProblems('INVALID_TOKEN', 'EMAIL_TAKEN', 'UNAUTHENTICATED', 'INVALID_CREDENTIALS')
  @OptionalSession()
  @StrictRateLimit()
  @HttpCode(204)
  @Post('email/verify')
  verifyEmail(
    @CurrentUser() user: Principal | undefined,
    @Body() body: VerifyEmailDto,
    @CurrentClient() client: Client,
  ): Promise<void> {
    return this.emails.confirm(body, user, client);
  }

  /**
   * Mail the verification link again.
   *
   * @remarks Sends nothing, and answers 202 all the same, if the address is verified or the hourly limit of two links is
   * reached. The link of the registration counts as one.
   */
  @HttpCode(202)
  @Post('email/resend')
  resendVerification(@CurrentUser() user: SessionPrincipal): Promise<void> {
    return this.emails.resend(user.userId);
  }

  /**
   * Ask to change your email address.
   *
   * @remarks Needs a step-up. Mails a link to the new address and a notice to the old one. The change takes effect when
   * `POST /api/v1/auth/email/verify` receives the token of the link. An address that has an account is 409 `EMAIL_TAKEN`.
   */
  @RequiresStepUp('EMAIL_TAKEN')
  @HttpCode(202)
  @Post('email/change')
  changeEmail(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: ChangeEmailDto,
    @CurrentClient() client: Client,
  ): Promise<void> {
    return this.emails.requestChange(user, body, client);
  }
}
