import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { type Actor, actorData } from '../../common/auth/actor.js';
import { LastAdminError, OwnAccountError, ProblemError, VersionMismatchError } from '../../common/errors/problem.js';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import type { AccountState } from '../../contracts/auth.events.js';
import { ROLES } from '../../contracts/role.js';
import { type AccountCommand, AccountCommandEvent, RoleChangedEvent } from '../../contracts/users.events.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { nextTokenTime, Revocations } from '../../platform/revocation/revocations.js';
import type { StepUpDto } from '../../platform/step-up/step-up.dto.js';
import { StepUp } from '../../platform/step-up/step-up.js';
import type { SetRoleDto, SuspendUserDto, UnsuspendUserDto, UpdateUserDto } from './dto/user-requests.dto.js';
import type { UserResponseDto } from './dto/user-response.dto.js';
import { User } from './schemas/user.schema.js';
import { UserLifecycleService } from './user-lifecycle.service.js';
import { UserNotFoundError } from './users.errors.js';
import { UsersService } from './users.service.js';

/** What a command carries besides the account: until when issued tokens end with it, and details for the audit log. */
interface CommandDetails {
  tokensValidFrom?: Date;
  details?: Record<string, string>;
}

/**
 * What administrators do to other users. This module decides: each method reads and writes the record of the actor in
 * the transaction of the change, so that an administrator who has just been demoted, suspended or deleted changes
 * nothing with a token that is still valid. The revocation of access is part of the same transaction.
 */
@Injectable()
export class UserAdministrationService {
  constructor(
    @InjectModel(User.name) private readonly users: Model<User>,
    private readonly profiles: UsersService,
    private readonly lifecycle: UserLifecycleService,
    private readonly stepUp: StepUp,
    private readonly revocations: Revocations,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
  ) {}

  /** @throws UserNotFoundError, VersionMismatchError; ProblemError `FORBIDDEN` where the actor is no administrator */
  async update(actor: Actor, id: string, changes: UpdateUserDto, precondition: Precondition): Promise<UserResponseDto> {
    return await this.asAdmin(actor, async (tx) => {
      const updated = await this.profiles.applyUpdate(actor, id, changes, precondition, tx);
      const fields = Object.keys(changes).join(', ');
      await this.publish('update-profile', actor, await this.get(id, 'any', tx), { details: { fields } }, tx);
      return updated;
    });
  }

  /**
   * @throws UserNotFoundError, OwnAccountError, LastAdminError; ProblemError `FORBIDDEN`
   * @throws what a step-up throws, where this raises the role
   * @throws VersionMismatchError also where the role has changed since it was decided whether this raises it
   */
  async setRole(
    actor: Actor,
    id: string,
    { role, ...proof }: SetRoleDto,
    precondition: Precondition,
  ): Promise<UserResponseDto> {
    const { role: known } = await this.profiles.get(id);
    if (ROLES.indexOf(role) > ROLES.indexOf(known)) await this.requireStepUp(actor, proof);
    return await this.asAdmin(actor, async (tx) => {
      const before = await this.get(id, precondition, tx);
      if (before.role !== known) throw new VersionMismatchError();
      if (before.role === role) return this.profiles.toResponse(before);
      await this.assertNotOwn(actor, id, tx);
      const user = await this.profiles.change(id, 'any', { role }, tx);
      const tokensValidFrom = nextTokenTime();
      await this.command('set-role', actor, user, { tokensValidFrom }, tx);
      const data = {
        version: user.version,
        role,
        ...eventActor(actor),
        tokensValidFrom: tokensValidFrom.toISOString(),
      };
      await this.outbox.add([new RoleChangedEvent(id, data)], tx);
      return this.profiles.toResponse(user);
    });
  }

  /**
   * @throws UserNotFoundError, OwnAccountError, LastAdminError, VersionMismatchError; ProblemError `FORBIDDEN`; what a
   * step-up throws
   */
  async delete(actor: Actor, id: string, proof: StepUpDto, precondition: Precondition): Promise<void> {
    await this.requireStepUp(actor, proof);
    await this.asAdmin(actor, async (tx) => {
      const user = await this.get(id, precondition, tx);
      await this.assertNotOwn(actor, id, tx);
      await this.command(
        'delete',
        actor,
        { ...user, version: user.version + 1 },
        { tokensValidFrom: nextTokenTime() },
        tx,
      );
      await this.lifecycle.erase(id, eventActor(actor), tx);
    });
  }

  /**
   * Rejects the user's sessions and API keys until it is lifted. A suspended user stays as they are.
   *
   * @returns the user as of then
   * @throws UserNotFoundError, OwnAccountError, LastAdminError, VersionMismatchError; ProblemError `FORBIDDEN`; what a
   * step-up throws
   */
  async suspend(
    actor: Actor,
    id: string,
    { reason, ...proof }: SuspendUserDto,
    precondition: Precondition,
  ): Promise<User> {
    await this.requireStepUp(actor, proof);
    return await this.setSuspension('suspend', actor, id, reason, precondition);
  }

  /** @returns the user as of then. @throws UserNotFoundError, VersionMismatchError; ProblemError `FORBIDDEN` */
  async unsuspend(actor: Actor, id: string, { reason }: UnsuspendUserDto, precondition: Precondition): Promise<User> {
    return await this.setSuspension('unsuspend', actor, id, reason, precondition);
  }

  /**
   * Ends all sessions of a user; API keys stay.
   *
   * @throws UserNotFoundError, VersionMismatchError; ProblemError `FORBIDDEN`
   */
  async endSessions(actor: Actor, id: string, precondition: Precondition): Promise<void> {
    await this.asAdmin(actor, async (tx) => {
      await this.command(
        'end-sessions',
        actor,
        await this.get(id, precondition, tx),
        { tokensValidFrom: nextTokenTime() },
        tx,
      );
    });
  }

  /**
   * Removes a lost second factor.
   *
   * @throws UserNotFoundError, VersionMismatchError; ProblemError `FORBIDDEN`; what a step-up throws
   */
  async removeMfa(actor: Actor, id: string, proof: StepUpDto, precondition: Precondition): Promise<void> {
    await this.requireStepUp(actor, proof);
    await this.asAdmin(actor, async (tx) => {
      await this.publish('remove-mfa', actor, await this.get(id, precondition, tx), {}, tx);
    });
  }

  private async setSuspension(
    command: 'suspend' | 'unsuspend',
    actor: Actor,
    id: string,
    reason: string | undefined,
    precondition: Precondition,
  ): Promise<User> {
    return await this.asAdmin(actor, async (tx) => {
      const before = await this.get(id, precondition, tx);
      const suspendedAt = command === 'suspend' ? databaseDate() : null;
      if (suspendedAt) await this.assertNotOwn(actor, id, tx);
      if (Boolean(before.suspendedAt) === Boolean(suspendedAt)) return before;
      const suspensionReason = suspendedAt ? (reason ?? null) : null;
      const suspension = { suspendedAt, suspensionReason, suspensionReasonFor: suspendedAt };
      const user = await this.profiles.change(id, 'any', suspension, tx);
      await this.command(command, actor, user, reason === undefined ? {} : { details: { reason } }, tx);
      return user;
    });
  }

  private async requireStepUp({ principal, client }: Actor, proof: StepUpDto): Promise<void> {
    await this.stepUp.require(principal, proof, client);
  }

  /** Runs `work` in a transaction to whose end the actor is an administrator. */
  private async asAdmin<T>(actor: Actor, work: (tx: ClientSession) => Promise<T>): Promise<T> {
    const { userId } = actor.principal;
    await this.profiles.awaitProfile(userId);
    return await this.transactions.run(async (tx) => {
      const isAdmin = { _id: userId, role: 'admin', suspendedAt: null } as const;
      const { matchedCount } = await this.users.updateOne(
        isAdmin,
        { $set: { countedOnAt: databaseDate() } },
        { session: tx },
      );
      if (matchedCount === 0) throw new ProblemError('FORBIDDEN', 'You are not an administrator any more.');
      return await work(tx);
    });
  }

  /** Revokes the access that the command ends, and has the auth module apply it. */
  private async command(
    command: AccountCommand,
    actor: Actor,
    user: User,
    more: CommandDetails,
    tx: ClientSession,
  ): Promise<void> {
    const state = stateAfter(command, user);
    await this.revocations.applyAccountState(String(user._id), state, more.tokensValidFrom ?? null, tx);
    await this.publish(command, actor, user, more, tx);
  }

  private async publish(
    command: AccountCommand,
    actor: Actor,
    user: User,
    { tokensValidFrom, details }: CommandDetails,
    tx: ClientSession,
  ): Promise<void> {
    const event = new AccountCommandEvent(String(user._id), {
      command,
      account: stateAfter(command, user),
      tokensValidFrom: tokensValidFrom?.toISOString() ?? null,
      actor: actorData(actor),
      ...(details && { details }),
    });
    await this.outbox.add([event], tx);
  }

  private async get(id: string, precondition: Precondition, tx: ClientSession): Promise<User> {
    const user = await this.users.findById(id, null, { session: tx }).lean();
    if (!user) throw new UserNotFoundError();
    assertMatches(precondition, user);
    return user;
  }

  /**
   * The actor is an administrator who remains. So only one's own account could be the
   * last one.
   *
   * @throws LastAdminError, OwnAccountError
   */
  private async assertNotOwn(actor: Actor, id: string, tx: ClientSession): Promise<void> {
    if (actor.principal.userId !== id) return;
    const other = { role: 'admin', suspendedAt: null, _id: { $ne: id } } as const;
    throw (await this.users.exists(other).session(tx)) ? new OwnAccountError() : new LastAdminError();
  }
}

function stateAfter(command: AccountCommand, { version, role, suspendedAt }: User): AccountState {
  const status = command === 'delete' ? 'deleted' : suspendedAt ? 'suspended' : 'active';
  return { version, role, status };
}

function eventActor(actor: Actor) {
  return { actorId: actor.principal.userId, actor: actorData(actor) };
}
