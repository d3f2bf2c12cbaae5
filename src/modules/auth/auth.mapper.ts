import type { ApiKey } from '../../platform/authentication/api-key.schema.js';
import type { ApiKeyResponseDto } from './dto/api-key.dto.js';
import type { SessionResponseDto } from './dto/session-response.dto.js';
import type { Session } from './schemas/session.schema.js';

/** @param currentId the session that asks */
export function toSessionResponse(session: Session, currentId?: string): SessionResponseDto {
  const id = String(session._id);
  const { userAgent, ip, createdAt, rotatedAt } = session;
  return {
    id,
    userAgent,
    ip,
    createdAt: createdAt.toISOString(),
    lastUsedAt: rotatedAt.toISOString(),
    current: id === currentId,
  };
}

export function toApiKeyResponse(apiKey: ApiKey): ApiKeyResponseDto {
  const { _id, name, scopes, expiresAt, lastUsedAt, createdAt } = apiKey;
  return {
    id: String(_id),
    name,
    scopes,
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
