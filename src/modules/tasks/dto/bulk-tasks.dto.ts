import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, Equals, IsArray, IsString } from 'class-validator';
import { ProblemResponseDto } from '../../../common/openapi/problem-response.dto.js';
import { NestedObject } from '../../../common/validation/nested-object.js';
import { CreateTaskDto, UpdateTaskDto } from './task-requests.dto.js';
import { TaskResponseDto } from './task-response.dto.js';

const MAX_OPERATIONS = 100;

export class CreateTaskOperationDto {
  @ApiProperty({ enum: ['create'], example: 'create' })
  @Equals('create')
  op!: 'create';

  @NestedObject(() => CreateTaskDto)
  task!: CreateTaskDto;
}

export class UpdateTaskOperationDto {
  @ApiProperty({ enum: ['update'], example: 'update' })
  @Equals('update')
  op!: 'update';

  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  @IsString()
  id!: string;

  @NestedObject(() => UpdateTaskDto)
  changes!: UpdateTaskDto;
}

export class DeleteTaskOperationDto {
  @ApiProperty({ enum: ['delete'], example: 'delete' })
  @Equals('delete')
  op!: 'delete';

  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  @IsString()
  id!: string;
}

export type BulkOperation = CreateTaskOperationDto | UpdateTaskOperationDto | DeleteTaskOperationDto;

export const BULK_OPERATIONS = {
  create: CreateTaskOperationDto,
  update: UpdateTaskOperationDto,
  delete: DeleteTaskOperationDto,
} as const;

@ApiExtraModels(CreateTaskOperationDto, UpdateTaskOperationDto, DeleteTaskOperationDto)
export class BulkTasksDto {
  static readonly checkedAlone = 'operations';

  /** Each is checked by itself, so that a wrong one fails alone. */
  @ApiProperty({
    type: 'array',
    minItems: 1,
    maxItems: MAX_OPERATIONS,
    items: {
      oneOf: Object.values(BULK_OPERATIONS).map((type) => ({ $ref: getSchemaPath(type) })),
      discriminator: {
        propertyName: 'op',
        mapping: Object.fromEntries(Object.entries(BULK_OPERATIONS).map(([op, type]) => [op, getSchemaPath(type)])),
      },
    },
  })
  @ArrayMaxSize(MAX_OPERATIONS)
  @ArrayMinSize(1)
  @IsArray()
  operations!: unknown[];
}

export class BulkTaskResultResponseDto {
  /** The status that the operation alone would have been answered with. */
  @ApiProperty({ type: 'integer', example: 201 })
  status!: number;

  /**
   * Null where a task couldn't be created.
   * @example 665f1c2e9b1d4a3f8c7e6d5b
   */
  id!: string | null;

  /** As it is now; not after a deletion. */
  @ApiProperty({ type: TaskResponseDto, required: false })
  task?: TaskResponseDto;

  /** Why the operation failed. */
  @ApiProperty({ type: ProblemResponseDto, required: false })
  problem?: ProblemResponseDto;
}

export class BulkTasksResponseDto {
  /** One an operation, in their order. */
  results!: BulkTaskResultResponseDto[];
}
