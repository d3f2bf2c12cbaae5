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

  /** Create an account and log in; mails a verification link. */
  @ApiProblems('EMAIL_TAKEN')
  @Public()
  @StrictRateLimit()
  @Post('register')
  register(@Body() body: RegisterDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.register(body, client);
  }

  /** Log in with email and password. */
  @ApiProblems('INVALID_CREDENTIALS', 'MFA_REQUIRED', 'ACCOUNT_SUSPENDED', 'ACCOUNT_LOCKED')
  @Public()
  @StrictRateLimit()
  @HttpCode(200)
  @Post('login')
  login(@Body() body: LoginDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.login(body, client);
  }

  /** The second step of a log-in, where the first was answered `MFA_REQUIRED`. */
  @ApiProblems('INVALID_CREDENTIALS', 'ACCOUNT_SUSPENDED', 'ACCOUNT_LOCKED')
  @Public()
  @StrictRateLimit()
  @HttpCode(200)
  @Post('login/mfa')
  loginMfa(@Body() body: LoginMfaDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.loginMfa(body, client);
  }

  /** Exchange a refresh token for new tokens. */
  @ApiProblems('UNAUTHENTICATED', 'REFRESH_TOKEN_REUSED', 'ACCOUNT_SUSPENDED')
  @Public()
  @SkipThrottle({ general: true, strict: true })
  @UseGuards(RefreshRateLimitGuard)
  @HttpCode(200)
  @Post('refresh')
  refresh(@Body() body: RefreshDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.refresh(body.refreshToken, client);
  }

  /** Have a link mailed that sets a new password; the answer doesn't tell whether there is such an account. */
  @Public()
  @StrictRateLimit()
  @HttpCode(202)
  @Post('password/forgot')
  forgotPassword(@Body() body: ForgotPasswordDto, @CurrentClient() client: Client): Promise<void> {
    return this.passwords.forgot(body.email, client);
  }

  /** Set a new password with the token from the mail; ends all sessions and removes all API keys. */
  @ApiProblems('INVALID_TOKEN')
  @Public()
  @StrictRateLimit()
  @HttpCode(204)
  @Post('password/reset')
  resetPassword(@Body() body: ResetPasswordDto, @CurrentClient() client: Client): Promise<void> {
    return this.passwords.reset(body.token, body.password, client);
  }

  /** Change the password; ends all other sessions, and removes the API keys unless they are kept. */
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

  /** Confirm an email address with the token from the mail, in a session of its account or with its password. */
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

  /** Mail the verification link again; at most two an hour, one of which registering has sent. */
  @HttpCode(202)
  @Post('email/resend')
  resendVerification(@CurrentUser() user: SessionPrincipal): Promise<void> {
    return this.emails.resend(user.userId);
  }

  /** Ask to change the email address; the new one counts once its link has been followed. */
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
