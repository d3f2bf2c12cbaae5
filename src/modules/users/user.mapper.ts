import { withVersion } from '../../common/http/versioned.decorator.js';
import type { SuspensionResponseDto, UserResponseDto } from './dto/user-response.dto.js';
import type { User } from './schemas/user.schema.js';

/**
 * @param publicUrl where the service is, for addresses in it
 * @returns the profile with its version, for `@Versioned()`
 */
export function toUserResponse(user: User, publicUrl: string): UserResponseDto {
  const id = String(user._id);
  const { name, email, emailVerified, role, phone, locale, timezone } = user;
  return withVersion(user.version, {
    id,
    name,
    email,
    emailVerified,
    role,
    phone,
    locale,
    timezone,
    avatarUrl: user.avatar ? `${publicUrl}/api/v1/users/${id}/avatar/${user.avatar.id}` : null,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
  });
}

/** @returns null for a user who isn't suspended; no reason where the stored one is of an earlier suspension */
export function toSuspension(user: User): SuspensionResponseDto | null {
  const { suspendedAt, suspensionReason, suspensionReasonFor } = user;
  if (!suspendedAt) return null;
  const isOfThis = !suspensionReasonFor || suspensionReasonFor.getTime() === suspendedAt.getTime();
  return { at: suspendedAt.toISOString(), reason: isOfThis ? (suspensionReason ?? null) : null };
}
