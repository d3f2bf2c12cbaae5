import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ActorData } from '../../contracts/users.events.js';
import { type Client, clientOf } from '../http/client.js';
import type { AuthenticatedRequest, Principal } from './principal.js';

/** Who asks for a change, with which credential, and from where: for decisions about rights, and for the audit trail. */
export interface Actor {
  principal: Principal;
  client: Client;
}

/** The actor of the request; only for routes that aren't `@Public()`. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
  return { principal: request.user as Principal, client: clientOf(request) };
});

/** @returns the id of the API key that was used; null for a session */
export function apiKeyIdOf({ principal }: Actor): string | null {
  return 'apiKey' in principal ? principal.apiKey.id : null;
}

/** The actor as events name them. */
export function actorData(actor: Actor): ActorData {
  return { actorId: actor.principal.userId, apiKeyId: apiKeyIdOf(actor), ...actor.client };
}
