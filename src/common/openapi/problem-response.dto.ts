import { ApiProperty } from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode } from '../errors/problem.js';

export class FieldErrorResponseDto {
  /** @example email */
  field!: string;

  /** @example "must be an email" */
  message!: string;
}

/** RFC 9457, with our members `code`, `requestId` and, for validation, `errors`. */
export class ProblemResponseDto {
  /** @example urn:scalable-api:problem:not-found */
  type!: string;

  /** @example "Not found" */
  title!: string;

  /** @example 404 */
  status!: number;

  /** @example "There is nothing here." */
  detail!: string;

  /** @example /api/v1/tasks/665f1c2e9b1d4a3f8c7e6d5b */
  instance!: string;

  @ApiProperty({ enum: Object.keys(PROBLEMS) })
  code!: ProblemCode;

  /** Find it in the logs. */
  requestId!: string;

  errors?: FieldErrorResponseDto[];

  /**
   * With `STEP_UP_REQUIRED`: what to send along, all of it; empty where a new log-in is asked for. With `MFA_REQUIRED`:
   * what the second step takes.
   * @example ["password"]
   */
  methods?: string[];
}
