import { Injectable } from '@nestjs/common';
import { ProblemError, ValidationFailedError } from '../../common/errors/problem.js';
import { isId } from '../../common/http/id.pipe.js';
import { toProblemDocument } from '../../common/http/problem-document.js';
import { createValidationPipe } from '../../common/http/validation.js';
import { BULK_OPERATIONS, type BulkOperation, type BulkTaskResultResponseDto } from './dto/bulk-tasks.dto.js';
import type { TaskChangeSet } from './task-change-set.js';
import { fieldsToChange, newTask } from './task-fields.js';
import { toTaskResponse } from './task.mapper.js';
import { TasksService } from './tasks.service.js';

type Request = Parameters<typeof toProblemDocument>[1];

/** Many changes in one request. They share a transaction for speed; none depends on another's success. */
@Injectable()
export class TaskBulkService {
  private readonly pipe = createValidationPipe();

  constructor(private readonly tasks: TasksService) {}

  /**
   * @param operations as they were sent: what is wrong with one is its own result's problem
   * @param request which the problems tell of
   * @returns a result for each operation, in their order
   */
  async run(userId: string, operations: unknown[], request: Request): Promise<BulkTaskResultResponseDto[]> {
    const checked = await Promise.all(operations.map((operation) => this.check(operation)));
    const ids = checked.flatMap((operation) => ('id' in operation ? [operation.id] : []));
    return await this.tasks.change(userId, ids.filter(isId), (changes) =>
      checked.map((operation, index) => {
        try {
          if (operation instanceof ProblemError) throw operation;
          return apply(operation, userId, changes);
        } catch (error) {
          if (!(error instanceof ProblemError)) throw error;
          return { status: error.status, id: idIn(operations[index]), problem: toProblemDocument(error, request) };
        }
      }),
    );
  }

  /** The operation, or what is wrong with it. */
  private async check(operation: unknown): Promise<BulkOperation | ProblemError> {
    const { op } = (operation ?? {}) as { op?: unknown };
    const known = Object.entries(BULK_OPERATIONS).find(([name]) => name === op);
    if (!known) return new ValidationFailedError([{ field: 'op', message: 'must be create, update or delete' }]);
    try {
      return (await this.pipe.transform(operation, { type: 'body', metatype: known[1] })) as BulkOperation;
    } catch (error) {
      if (error instanceof ProblemError) return error;
      throw error;
    }
  }
}

function apply(operation: BulkOperation, userId: string, changes: TaskChangeSet): BulkTaskResultResponseDto {
  switch (operation.op) {
    case 'create': {
      const task = toTaskResponse(changes.create(newTask(userId, operation.task, changes.now)));
      return { status: 201, id: task.id, task };
    }
    case 'update': {
      const task = changes.update(operation.id, (before) => fieldsToChange(before, operation.changes, changes.now));
      return { status: 200, id: operation.id, task: toTaskResponse(task) };
    }
    case 'delete':
      changes.delete(operation.id);
      return { status: 204, id: operation.id };
  }
}

function idIn(operation: unknown): string | null {
  const { id } = (operation ?? {}) as { id?: unknown };
  return typeof id === 'string' ? id : null;
}
