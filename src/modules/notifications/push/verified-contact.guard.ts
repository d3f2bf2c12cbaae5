import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { AuthenticatedRequest } from '../../../common/auth/principal.js';
import { EmailUnverifiedError } from '../../../common/errors/problem.js';
import { ContactsService } from '../contacts.service.js';

/**
 * Refuses users whose address is not verified. A guard, because it waits a second for a verification that may be on its way:
 * the handler runs in a transaction.
 */
@Injectable()
export class VerifiedContactGuard implements CanActivate {
  constructor(private readonly contacts: ContactsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { user } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (!user || !(await this.contacts.awaitVerified(user.userId))) throw new EmailUnverifiedError();
    return true;
  }
}
