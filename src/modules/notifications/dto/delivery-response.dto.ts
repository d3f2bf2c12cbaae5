import { ApiProperty } from '@nestjs/swagger';
import { type Page, PageInfoResponseDto } from '../../../common/pagination/page.dto.js';
import { type ChannelName, CHANNELS } from '../../../contracts/notification-events.js';

export const DELIVERY_STATES = ['pending', 'delivered', 'skipped', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export class DeliveryResponseDto {
  @ApiProperty({ enum: CHANNELS, example: 'email' })
  channel!: ChannelName;

  /** `skipped`: there was nobody to send it to, or it wasn't wanted any more. `failed`: it isn't tried again. */
  @ApiProperty({ enum: DELIVERY_STATES, example: 'delivered' })
  state!: DeliveryState;

  /** @example 1 */
  attempts!: number;

  /** Why the latest attempt failed. */
  @ApiProperty({ type: String, nullable: true, example: null })
  lastError!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2035-01-15T09:30:00.000Z' })
  deliveredAt!: string | null;
}

export class DeliveryListResponseDto implements Page<DeliveryResponseDto> {
  data!: DeliveryResponseDto[];

  page!: PageInfoResponseDto;
}
