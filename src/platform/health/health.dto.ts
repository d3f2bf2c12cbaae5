import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';

const INDICATORS: ApiPropertyOptions = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    properties: {
      status: { type: 'string', enum: ['up', 'down'] },
      message: { type: 'string', description: 'Why it is down, where that is known' },
    },
  },
  example: { mongodb: { status: 'up' }, redis: { status: 'up' }, storage: { status: 'up' }, clock: { status: 'up' } },
};

export class MemoryResponseDto {
  /**
   * Resident set size, bytes.
   * @example 157286400
   */
  rss!: number;

  /**
   * Used JavaScript heap, bytes.
   * @example 73400320
   */
  heapUsed!: number;
}

export class CpuResponseDto {
  /**
   * Seconds spent in the process's code.
   * @example 41.5
   */
  user!: number;

  /**
   * Seconds spent in the system for it.
   * @example 6.25
   */
  system!: number;
}

export class HealthResponseDto {
  /** @example ok */
  status!: string;

  /** @example 1.0.0 */
  version!: string;

  /**
   * Seconds since the start.
   * @example 86400
   */
  uptime!: number;

  memory!: MemoryResponseDto;

  cpu!: CpuResponseDto;

  @ApiProperty(INDICATORS)
  info!: Record<string, { status: string; message?: string }>;

  @ApiProperty(INDICATORS)
  error!: Record<string, { status: string; message?: string }>;

  @ApiProperty(INDICATORS)
  details!: Record<string, { status: string; message?: string }>;
}

export class ProbeResponseDto {
  /** @example ok */
  status!: string;

  /**
   * What an operator should look at although requests are answered.
   * @example "the clock of this machine is 12.4 s ahead of MongoDB's"
   */
  warning?: string;
}
