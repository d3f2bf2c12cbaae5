import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean } from 'class-validator';
import { PageQueryDto } from '../../../common/pagination/page.dto.js';
import { OptionalField } from '../../../common/validation/optional-field.js';

export class ListNotificationsQueryDto extends PageQueryDto {
  /** Only those that are unread (true) or read (false). */
  @ApiProperty({ type: Boolean, required: false })
  @OptionalField()
  @IsBoolean()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  unread?: boolean;
}

export class MarkNotificationDto {
  /**
   * Whether it counts as read from now on.
   * @example true
   */
  @IsBoolean()
  read!: boolean;
}
