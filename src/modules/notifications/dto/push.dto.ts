import { ECDH } from 'node:crypto';
import { ApiProperty } from '@nestjs/swagger';
import { IsNumber, IsOptional, Matches, Max, MaxLength, Min, ValidateBy } from 'class-validator';
import { NestedObject } from '../../../common/validation/nested-object.js';
import { isPushEndpoint } from '../push/push-endpoint.js';

const LAST_MOMENT_MS = 8.64e15;

function isPublicKey(value: unknown): boolean {
  try {
    const point = Buffer.from(String(value), 'base64url');
    return point.length === 65 && ECDH.convertKey(point, 'prime256v1').length === 65;
  } catch {
    return false; // not a point of the curve
  }
}

export class PushKeysDto {
  /**
   * The browser's public key, on the curve P-256.
   * @example "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
   */
  @ValidateBy({
    name: 'isPublicKey',
    validator: { validate: isPublicKey, defaultMessage: () => 'must be a public key on the curve P-256, in base64url' },
  })
  @MaxLength(100)
  p256dh!: string;

  /** @example "BTBZMqHH6r4Tts7J_aSIgg" */
  @Matches(/^[\w-]{22}(==)?$/, { message: 'must be 16 bytes in base64url' })
  auth!: string;
}

/** What a browser's `PushSubscription.toJSON()` gives. */
export class SubscribeDto {
  /** Public, on the usual port. */
  @ApiProperty({
    format: 'uri',
    pattern: '^https://',
    example: 'https://updates.push.services.mozilla.com/wpush/v2/gAAAAA',
  })
  @ValidateBy({
    name: 'isPushEndpoint',
    validator: { validate: isPushEndpoint, defaultMessage: () => 'must be a public https address, on the usual port' },
  })
  @MaxLength(2000)
  endpoint!: string;

  /** Milliseconds since 1970. */
  @ApiProperty({
    type: Number,
    nullable: true,
    required: false,
    minimum: 1,
    maximum: LAST_MOMENT_MS,
    example: 2051222400000,
  })
  @IsOptional()
  @Max(LAST_MOMENT_MS)
  @Min(1)
  @IsNumber()
  expirationTime?: number | null;

  @NestedObject(() => PushKeysDto)
  keys!: PushKeysDto;
}

export class VapidKeyResponseDto {
  /**
   * Base64url, as `applicationServerKey` takes it.
   * @example BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4
   */
  publicKey!: string;
}

export class PushSubscriptionResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;
}
