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

  /**
   * Read your profile.
   *
   * @remarks Works right after registering. The `ETag` is the version that a change may name in `If-Match`.
   */
  @Versioned()
  @Get('me')
  getMe(@CurrentUser() user: Principal): Promise<UserResponseDto> {
    return this.users.getOwn(user.userId);
  }

  /**
   * Change your profile.
   *
   * @remarks Changes the fields that are sent and keeps the others. A new phone number is unverified until `POST
   * /api/v1/users/me/phone/verify`; null removes the number. Locale and time zone are stored in their canonical form.
   */
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

  /**
   * Read your notification preferences.
   *
   * @remarks What you are notified of, by which channels, and when. Defaults apply until you replace them. The `ETag` is
   * that of your profile.
   */
  @Versioned()
  @Get('me/preferences')
  getPreferences(@CurrentUser() user: Principal): Promise<PreferencesDto> {
    return this.users.getPreferences(user.userId);
  }

  /**
   * Replace your notification preferences.
   *
   * @remarks Takes all preferences at once. Messages about the security of your account are sent whatever you choose.
   * Quiet hours are in the time zone of your profile.
   */
  @Versioned()
  @Put('me/preferences')
  replacePreferences(
    @CurrentUser() user: Principal,
    @Body() body: PreferencesDto,
    @Conditional() precondition: Precondition,
  ): Promise<PreferencesDto> {
    return this.users.replacePreferences(user.userId, body, precondition);
  }

  /**
   * Export your personal data.
   *
   * @remarks Answers all data that the modules hold of you as one JSON document, without secrets. The audit trail records
   * the export.
   */
  @ApiOkResponse({ type: PersonalDataResponseDto })
  @RefuseApiKeys()
  @Get('me/export')
  async exportMe(@CurrentActor() actor: Actor): Promise<StreamableFile> {
    return new StreamableFile(await this.users.export(actor), { type: 'application/json; charset=utf-8' });
  }

  /**
   * List users.
   *
   * @remarks For managers and administrators. `role` and `q` combine with AND. Shows profiles without suspensions.
   */
  @MinimumRole('manager')
  @Get()
  listUsers(@Query() query: ListUsersQueryDto): Promise<UserListResponseDto> {
    return this.users.list(query);
  }

  /**
   * Read a user.
   *
   * @remarks For managers and administrators. Administrators also see whether, since when and why the user is suspended;
   * with an API key only if it has the scope `users:admin`.
   */
  @Versioned()
  @MinimumRole('manager')
  @Get(':id')
  getUser(@CurrentUser() reader: Principal, @Param('id', IdPipe) id: string): Promise<UserDetailsResponseDto> {
    const mayAdminister = !('apiKey' in reader) || reader.apiKey.scopes.includes('users:admin');
    return this.users.get(id, mayAdminister && reader.role === 'admin');
  }

  /**
   * Change the profile of a user.
   *
   * @remarks For administrators. Takes the fields that users may change themselves, and keeps those that are left out.
   * The audit trail records which fields were changed.
   */
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

  /**
   * Change the role of a user.
   *
   * @remarks For administrators. Raising a role needs a step-up. Every instance rejects tokens with the old role within
   * one second. Your own role is 409 `OWN_ACCOUNT`, that of the last administrator 409 `LAST_ADMIN`.
   */
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

  /**
   * Delete a user.
   *
   * @remarks For administrators; needs a step-up. Ends the sessions and API keys of the user, and erases their data in
   * every module. It cannot be undone. Your own account is 409 `OWN_ACCOUNT`, the last administrator 409 `LAST_ADMIN`.
   */
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

  /**
   * Suspend a user.
   *
   * @remarks For administrators; needs a step-up. Every instance rejects the sessions and API keys of the user within one
   * second, until the suspension is lifted. No data is deleted, and no messages are sent to the user. Your own account is
   * 409 `OWN_ACCOUNT`, the last administrator 409 `LAST_ADMIN`.
   */
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

  /**
   * Lift the suspension of a user.
   *
   * @remarks For administrators. The user can log in again. Messages that were held back during the suspension are not
   * sent. Changes nothing if the user is not suspended.
   */
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

  /**
   * End all sessions of a user.
   *
   * @remarks For administrators. Every instance rejects their tokens within one second. The API keys of the user keep
   * working.
   */
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

  /**
   * Remove the second factor of a user.
   *
   * @remarks For administrators; needs a step-up. Helps users who have lost their authenticator and recovery codes: the
   * next log-in takes the password alone.
   */
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
