import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ArrayUnique, IsArray, IsBoolean, IsIn, Matches, ValidateIf } from 'class-validator';
import { NestedObject } from '../../../common/validation/nested-object.js';
import { NOTIFICATION_EVENTS, type NotificationEvent } from '../../../contracts/notification-events.js';
import type { NotificationPreferences } from '../../../contracts/users.events.js';

const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;

const IsTimeOfDay = () =>
  applyDecorators(
    ApiProperty({ pattern: TIME_OF_DAY.source }),
    Matches(TIME_OF_DAY, { message: 'must be a time of day, such as 22:00' }),
  );

export class ChannelsDto {
  /** @example true */
  @IsBoolean()
  email!: boolean;

  /** @example true */
  @IsBoolean()
  push!: boolean;

  /** @example false */
  @IsBoolean()
  sms!: boolean;
}

/** In the user's time zone; may reach over midnight. */
export class QuietHoursDto {
  /** @example 22:00 */
  @IsTimeOfDay()
  start!: string;

  /** @example 07:00 */
  @IsTimeOfDay()
  end!: string;
}

export class PreferencesDto implements NotificationPreferences {
  @NestedObject(() => ChannelsDto)
  channels!: ChannelsDto;

  /** Events that you are not notified of, neither in the inbox nor by a channel. Mails about the account are sent anyway. */
  @ApiProperty({ enum: NOTIFICATION_EVENTS, isArray: true, example: ['task.completed'] })
  @IsIn(NOTIFICATION_EVENTS, { each: true })
  @ArrayUnique()
  @IsArray()
  mutedEvents!: NotificationEvent[];

  @ApiProperty({ type: () => QuietHoursDto, nullable: true })
  @NestedObject(() => QuietHoursDto)
  @ValidateIf((_object, value) => value !== null)
  quietHours!: QuietHoursDto | null;

  /** `daily` collects the mails of a day into one. */
  @ApiProperty({ enum: ['off', 'daily'], example: 'daily' })
  @IsIn(['off', 'daily'])
  digest!: 'off' | 'daily';
}
