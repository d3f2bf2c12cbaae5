import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, type QueryFilter, Types } from 'mongoose';
import type { Client } from '../../common/http/client.js';
import { Cursors } from '../../common/pagination/cursor.js';
import type { Keyset } from '../../common/pagination/keyset.js';
import type { Page } from '../../common/pagination/page.dto.js';
import { paginate } from '../../common/pagination/paginate.js';
import { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import type { ActorData } from '../../contracts/users.events.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { rowsOf } from '../../platform/personal-data/personal-data.js';
import type { AuditEntryResponseDto, ListAuditQueryDto } from './dto/audit.dto.js';
import { AuditEntry, type AuditEvent } from './schemas/audit-entry.schema.js';

const NEWEST_FIRST: Keyset<'at'> = { field: 'at', descending: true, type: 'date' };

/** What is known of an event besides its name. */
export interface AuditContext {
  actorId?: string | Types.ObjectId | null;
  apiKeyId?: string | null;
  client?: Client;
  details?: Record<string, string>;
  /** When it happened; now, where left out. */
  at?: Date;
}

/** The audit trail of security-relevant actions: who, what, when, from where. */
@Injectable()
export class AuditService {
  constructor(
    @InjectModel(AuditEntry.name) private readonly entries: Model<AuditEntry>,
    private readonly cursors: Cursors,
    private readonly environment: DatabaseEnvironment,
  ) {}

  /** @param tx the transaction that makes it true, where there is one */
  async record(event: AuditEvent, context: AuditContext, tx: ClientSession | null = null): Promise<void> {
    const { actorId = null, apiKeyId = null, client, details = {}, at = databaseDate() } = context;
    const actor = actorId === null ? null : new Types.ObjectId(actorId);
    const apiKey = apiKeyId === null ? null : new Types.ObjectId(apiKeyId);
    await this.entries.create([{ at, event, actor, apiKey, ...client, details }], { session: tx });
  }

  async list(query: ListAuditQueryDto): Promise<Page<AuditEntryResponseDto>> {
    const { actorId, event, from, to } = query;
    const filter: QueryFilter<AuditEntry> = {
      ...(actorId && { actor: new Types.ObjectId(actorId) }),
      ...(event && { event }),
      ...((from ?? to) !== undefined && {
        at: { ...(from && { $gte: new Date(from) }), ...(to && { $lt: new Date(to) }) },
      }),
    };
    return await paginate(this.entries, filter, {
      cursors: this.cursors,
      list: 'audit',
      keyset: NEWEST_FIRST,
      query,
      map: toResponse,
      readPreference: this.environment.MONGODB_READ_PREFERENCE,
    });
  }

  exportOf(userId: string): AsyncIterable<AuditEntryResponseDto> {
    return rowsOf(this.entries.find(ofUser(userId)).sort({ at: 1 }).lean<AuditEntry[]>(), toResponse);
  }

  /**
   * Keeps what happened, by and to which ids. Removes addresses, agents, and what administrators wrote about the person as the
   * reason of a suspension.
   */
  async anonymise(userId: string, tx: ClientSession): Promise<void> {
    const aboutUser = { 'details.userId': userId, 'details.reason': { $exists: true } };
    await this.entries.updateMany(aboutUser, { $unset: { 'details.reason': 1 } }, { session: tx });
    await this.entries.updateMany(ofUser(userId), { $set: { ip: null, userAgent: null } }, { session: tx });
  }
}

/** Actions of the user, and actions that may have been theirs, such as a failed log-in. */
function ofUser(userId: string): QueryFilter<AuditEntry> {
  return { $or: [{ actor: new Types.ObjectId(userId) }, { actor: null, 'details.userId': userId }] };
}

/** The context from another module's event. */
export function auditContext({ actorId, apiKeyId, ip, userAgent }: ActorData): AuditContext {
  return { actorId, apiKeyId, client: { ip, userAgent } };
}

function toResponse({ _id, at, actor, apiKey, event, ip, userAgent, details }: AuditEntry): AuditEntryResponseDto {
  return {
    id: String(_id),
    at: at.toISOString(),
    actorId: actor && String(actor),
    apiKeyId: apiKey ? String(apiKey) : null,
    event,
    ip,
    userAgent,
    details,
  };
}
