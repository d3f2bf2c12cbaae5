import type { UserResponseDto } from './dto/user-response.dto.js';
import type { User } from './schemas/user.schema.js';

export function toUserResponse(user: User): UserResponseDto {
  const { name, email, emailVerified, role, phone, locale, timezone } = user;
  return {
    id: String(user._id),
    name,
    email,
    emailVerified,
    role,
    phone,
    locale,
    timezone,
    avatarUrl: null,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
  };
}
