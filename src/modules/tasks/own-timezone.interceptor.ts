import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { from, type Observable, switchMap } from 'rxjs';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { TaskOwnersService } from './task-owners.service.js';

/**
 * Has a request without a time zone ask for the user's own, so that it is part of what the response cache keeps an answer
 * by. A copied zone counts from the moment of its commit: no cached answer of the former one is found from then on.
 */
@Injectable()
export class OwnTimezoneInterceptor implements NestInterceptor {
  constructor(private readonly owners: TaskOwnersService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(this.complete(context.switchToHttp().getRequest<AuthenticatedRequest>())).pipe(
      switchMap(() => next.handle()),
    );
  }

  private async complete({ query, user }: AuthenticatedRequest): Promise<void> {
    const parameters = query as { timezone?: string };
    if (parameters.timezone !== undefined) return;
    const timezone = await this.owners.findTimezone(user?.userId as string);
    if (timezone !== null) parameters.timezone = timezone;
  }
}
