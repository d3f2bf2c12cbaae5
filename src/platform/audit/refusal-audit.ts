import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../../common/auth/actor.js';
import { within } from '../overload/within.js';
import { AuditedActions } from './audited-actions.js';

/** How long the answer to a refused request waits for its audit entry, in milliseconds. */
const MAX_WAIT_MS = 1_000;

/** The route that refused a user, and what it requires: a role, a scope, or a session. */
export interface Refusal {
  method: string;
  /** The pattern of the route, never the path of the request. */
  route: string;
  needs: string;
}

/** Audits requests that were refused because the user's role or API key's scopes don't allow them. */
@Injectable()
export class RefusalAudit {
  private readonly logger = new Logger(RefusalAudit.name);

  constructor(private readonly actions: AuditedActions) {}

  /** Never throws: the request is refused even if the entry can't be stored. */
  async add(actor: Actor, refusal: Refusal): Promise<void> {
    const details = { ...refusal };
    const added = this.actions.addAlone('access.refused', actor, details);
    const logged = added.catch((err: unknown) => this.logger.warn({ err }, 'a refused request could not be audited'));
    await within(logged, MAX_WAIT_MS, undefined);
  }
}
