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
  /**
   * A page for people that says what happened and what to do.
   * @example https://api.example.org/problems/not-found
   */
  type!: string;

  /** @example "Not found" */
  title!: string;

  /** @example 404 */
  status!: number;

  /** @example "There is nothing here." */
  detail!: string;

  /** @example /api/v1/tasks/665f1c2e9b1d4a3f8c7e6d5b */
  instance!: string;

  @ApiProperty({ enum: Object.keys(PROBLEMS), example: 'NOT_FOUND' })
  code!: ProblemCode;

  /**
   * Names the request in the logs.
   * @example 4f0c1a52-6f0e-4b7a-9d5e-2f1f3f6f9a10
   */
  requestId!: string;

  errors?: FieldErrorResponseDto[];

  /**
   * With `STEP_UP_REQUIRED`: what to send with the request, all of it; empty where a new log-in is needed. With `MFA_REQUIRED`:
   * what the second step takes.
   * @example ["password"]
   */
  methods?: string[];
}

/** The answer to a correct password where a second factor is on. */
export class MfaRequiredProblemResponseDto extends ProblemResponseDto {
  @ApiProperty({ enum: ['MFA_REQUIRED'], example: 'MFA_REQUIRED' })
  declare code: 'MFA_REQUIRED';

  /**
   * For `POST /api/v1/auth/login/mfa`. Valid once, for five minutes.
   * @example k3J9vQ2mX7pR4tY8wB1nZ6cD5fG0hLsA
   */
  mfaToken!: string;

  @ApiProperty({ type: [String], required: true, description: 'What the second step takes.', example: ['code'] })
  declare methods: string[];
}
