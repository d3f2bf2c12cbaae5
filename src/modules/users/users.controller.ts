import {
  applyDecorators,
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  StreamableFile,
} from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/auth/actor.js';
import { CurrentUser, MinimumRole, type Principal } from '../../common/auth/principal.js';
import { AllowApiKeys, RefuseApiKeys, RequireScope } from '../../common/auth/scopes.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import type { HasVersion, Precondition } from '../../common/http/etag.js';
import { Versioned } from '../../common/http/versioned.decorator.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { RequiresStepUp } from '../../platform/step-up/requires-step-up.decorator.js';
import { StepUpDto } from '../../platform/step-up/step-up.dto.js';
import { PreferencesDto } from './dto/preferences.dto.js';
import {
  ListUsersQueryDto,
  SetRoleDto,
  SuspendUserDto,
  UnsuspendUserDto,
  UpdateUserDto,
} from './dto/user-requests.dto.js';
import {
  PersonalDataResponseDto,
  UserDetailsResponseDto,
  UserListResponseDto,
  UserResponseDto,
} from './dto/user-response.dto.js';
import { UserAdministrationService } from './user-administration.service.js';
import { UsersService } from './users.service.js';

/** For administrators; their API keys need a scope that no other use of a key asks for. */
const ForAdmins = () => applyDecorators(MinimumRole('admin'), RequireScope('users:admin'));

@ApiTags('Users')
@AllowApiKeys('users')
@Controller('users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly administration: UserAdministrationService,
  ) {}

  /** Read your profile. */
  @Versioned()
  @Get('me')
  getMe(@CurrentUser() user: Principal): Promise<UserResponseDto> {
    return this.users.getOwn(user.userId);
  }

  /** Change your profile. */
  @Versioned()
  @ApiBody({ type: UpdateUserDto, examples: { 'one field': { value: { timezone: 'Europe/Vienna' } } } })
  @Patch('me')
  updateMe(
    @CurrentActor() actor: Actor,
    @Body() body: UpdateUserDto,
    @Conditional() precondition: Precondition,
  ): Promise<UserResponseDto> {
    return this.users.updateOwn(actor, body, precondition);
  }

  /** Read what you are notified of, and how. */
  @Versioned()
  @Get('me/preferences')
  getPreferences(@CurrentUser() user: Principal): Promise<PreferencesDto> {
    return this.users.getPreferences(user.userId);
  }

  /** Replace what you are notified of, and how. */
  @Versioned()
  @Put('me/preferences')
  replacePreferences(
    @CurrentUser() user: Principal,
    @Body() body: PreferencesDto,
    @Conditional() precondition: Precondition,
  ): Promise<PreferencesDto> {
    return this.users.replacePreferences(user.userId, body, precondition);
  }

  /** Get all that the service holds of you. */
  @ApiOkResponse({ type: PersonalDataResponseDto })
  @RefuseApiKeys()
  @Get('me/export')
  async exportMe(@CurrentActor() actor: Actor): Promise<StreamableFile> {
    return new StreamableFile(await this.users.export(actor), { type: 'application/json; charset=utf-8' });
  }

  /** List users (managers). */
  @MinimumRole('manager')
  @Get()
  listUsers(@Query() query: ListUsersQueryDto): Promise<UserListResponseDto> {
    return this.users.list(query);
  }

  /**
   * Read a user (managers). Administrators also see whether, since when and why the user is suspended; by an API key, with the
   * scope `users:admin`.
   */
  @Versioned()
  @MinimumRole('manager')
  @Get(':id')
  getUser(@CurrentUser() reader: Principal, @Param('id', IdPipe) id: string): Promise<UserDetailsResponseDto> {
    const mayAdminister = !('apiKey' in reader) || reader.apiKey.scopes.includes('users:admin');
    return this.users.get(id, mayAdminister && reader.role === 'admin');
  }

  /** Change a user (admins). */
  @Versioned()
  @ForAdmins()
  @ApiBody({ type: UpdateUserDto, examples: { 'one field': { value: { timezone: 'Europe/Vienna' } } } })
  @Patch(':id')
  updateUser(
    @CurrentActor() admin: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: UpdateUserDto,
    @Conditional() precondition: Precondition,
  ): Promise<UserResponseDto> {
    return this.administration.update(admin, id, body, precondition);
  }

  /** Change a user's role (admins); the old one stops working within one second. Raising it needs a step-up. */
  @Versioned()
  @RequiresStepUp('OWN_ACCOUNT', 'LAST_ADMIN')
  @ForAdmins()
  @Put(':id/role')
  setUserRole(
    @CurrentActor() admin: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: SetRoleDto,
    @Conditional() precondition: Precondition,
  ): Promise<UserResponseDto> {
    return this.administration.setRole(admin, id, body, precondition);
  }

  /** Delete a user (admins): sessions end, and every module erases the data. */
  @RequiresStepUp('OWN_ACCOUNT', 'LAST_ADMIN')
  @ApiBody({ type: StepUpDto, required: false })
  @ForAdmins()
  @HttpCode(204)
  @Delete(':id')
  deleteUser(
    @CurrentActor() admin: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: StepUpDto,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.administration.delete(admin, id, body, precondition);
  }

  /** Suspend a user (admins): sessions and API keys are rejected within one second, until it is lifted. */
  @Versioned()
  @RequiresStepUp('OWN_ACCOUNT', 'LAST_ADMIN')
  @ApiBody({ type: SuspendUserDto, required: false })
  @ForAdmins()
  @HttpCode(204)
  @Post(':id/suspend')
  suspendUser(
    @CurrentActor() admin: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: SuspendUserDto,
    @Conditional() precondition: Precondition,
  ): Promise<HasVersion> {
    return this.administration.suspend(admin, id, body, precondition);
  }

  /** Lift a suspension (admins). Nothing is sent of what happened meanwhile. */
  @Versioned()
  @ApiBody({ type: UnsuspendUserDto, required: false })
  @ForAdmins()
  @HttpCode(204)
  @Post(':id/unsuspend')
  unsuspendUser(
    @CurrentActor() admin: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: UnsuspendUserDto,
    @Conditional() precondition: Precondition,
  ): Promise<HasVersion> {
    return this.administration.unsuspend(admin, id, body, precondition);
  }

  /** End all sessions of a user (admins). Access tokens are rejected within one second. */
  @ForAdmins()
  @HttpCode(202)
  @Delete(':id/sessions')
  endUserSessions(
    @CurrentActor() admin: Actor,
    @Param('id', IdPipe) id: string,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.administration.endSessions(admin, id, precondition);
  }

  /** Remove a user's lost second factor (admins). */
  @RequiresStepUp()
  @ApiBody({ type: StepUpDto, required: false })
  @ForAdmins()
  @HttpCode(202)
  @Delete(':id/mfa')
  removeUserMfa(
    @CurrentActor() admin: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: StepUpDto,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.administration.removeMfa(admin, id, body, precondition);
  }
}
