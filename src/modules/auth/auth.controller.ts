import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type Principal, Public } from '../../common/auth/principal.js';
import { type Client, CurrentClient } from '../../common/http/client.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { StrictRateLimit } from '../../platform/throttling/rate-limit.guard.js';
import { AuthService } from './auth.service.js';
import { LoginDto, RefreshDto, RegisterDto, VerifyEmailDto } from './dto/auth-requests.dto.js';
import { TokensResponseDto } from './dto/tokens-response.dto.js';
import { EmailVerificationService } from './email-verification.service.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
    private readonly verification: EmailVerificationService,
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
  @ApiProblems('INVALID_CREDENTIALS')
  @Public()
  @StrictRateLimit()
  @HttpCode(200)
  @Post('login')
  login(@Body() body: LoginDto, @CurrentClient() client: Client): Promise<TokensResponseDto> {
    return this.auth.login(body, client);
  }

  /** Exchange a refresh token for new tokens. */
  @ApiProblems('UNAUTHENTICATED', 'REFRESH_TOKEN_REUSED')
  @Public()
  @HttpCode(200)
  @Post('refresh')
  refresh(@Body() body: RefreshDto): Promise<TokensResponseDto> {
    return this.auth.refresh(body.refreshToken);
  }

  /** End this session: its tokens stop working on every instance. */
  @HttpCode(204)
  @Post('logout')
  logout(@CurrentUser() user: Principal): Promise<void> {
    return this.sessions.end(user.sessionId);
  }

  /** Confirm the email address with the token from the mail. */
  @ApiProblems('INVALID_TOKEN')
  @Public()
  @HttpCode(204)
  @Post('email/verify')
  verifyEmail(@Body() body: VerifyEmailDto): Promise<void> {
    return this.verification.verify(body.token);
  }

  /** Mail the verification link again; at most three an hour. */
  @HttpCode(202)
  @Post('email/resend')
  resendVerification(@CurrentUser() user: Principal): Promise<void> {
    return this.verification.resend(user.userId);
  }
}
