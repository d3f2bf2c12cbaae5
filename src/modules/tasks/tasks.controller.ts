import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Req,
  UseInterceptors,
} from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CurrentUser, type Principal } from '../../common/auth/principal.js';
import { AllowApiKeys } from '../../common/auth/scopes.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import { etagOf, type HasVersion, type Precondition } from '../../common/http/etag.js';
import { Created } from '../../common/http/location.decorators.js';
import { Versioned } from '../../common/http/versioned.decorator.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { PageQueryDto } from '../../common/pagination/page.dto.js';
import { CacheResponse } from '../../platform/cache/cache-response.interceptor.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { BulkTasksDto, BulkTasksResponseDto } from './dto/bulk-tasks.dto.js';
import { TaskHistoryResponseDto } from './dto/task-change-response.dto.js';
import { CreateTaskDto, ListTasksQueryDto, TaskStatsQueryDto, UpdateTaskDto } from './dto/task-requests.dto.js';
import { TaskListResponseDto, TaskResponseDto } from './dto/task-response.dto.js';
import { TaskStatsResponseDto } from './dto/task-stats-response.dto.js';
import { OwnTimezoneInterceptor } from './own-timezone.interceptor.js';
import { TaskBulkService } from './task-bulk.service.js';
import { TaskHistoryService } from './task-history.service.js';
import { TaskListService } from './task-list.service.js';
import { TaskStatsService } from './task-stats.service.js';
import { TasksService } from './tasks.service.js';

const STATS_MAX_AGE_MS = 60_000;
const QUARTER_HOUR_MS = 900_000;

/** Stats age by themselves: a minute at most, and never past a midnight, which in every time zone is a quarter hour of UTC. */
const statsExpiry = (now: number) => Math.min(now + STATS_MAX_AGE_MS, now - (now % QUARTER_HOUR_MS) + QUARTER_HOUR_MS);

@ApiTags('Tasks')
@AllowApiKeys('tasks')
@Controller('tasks')
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly bulk: TaskBulkService,
    private readonly history: TaskHistoryService,
    private readonly lists: TaskListService,
    private readonly statistics: TaskStatsService,
  ) {}

  /**
   * Create a task.
   *
   * @remarks Only the title is required. The answer has the address of the task in `Location` and its version in `ETag`.
   */
  @Created<TaskResponseDto>(({ id }) => `/api/v1/tasks/${id}`)
  @Versioned()
  @Idempotent()
  @Post()
  createTask(@CurrentUser() user: Principal, @Body() body: CreateTaskDto): Promise<TaskResponseDto> {
    return this.tasks.create(user.userId, body);
  }

  /**
   * List your tasks.
   *
   * @remarks Filters combine with AND; several values of one filter with OR. Deleted tasks are left out. Lists are served
   * by the response cache and are never older than your latest write.
   */
  @CacheResponse('tasks')
  @Get()
  listTasks(@CurrentUser() user: Principal, @Query() query: ListTasksQueryDto): Promise<TaskListResponseDto> {
    return this.lists.list(user.userId, query);
  }

  /**
   * Create, change and delete up to 100 tasks.
   *
   * @remarks Each operation succeeds or fails on its own. `results` has one entry per operation, in the same order, with
   * its status and the task or the problem. The request itself fails only if the body is malformed.
   */
  @Idempotent()
  @HttpCode(200)
  @Post('bulk')
  async changeTasks(
    @CurrentUser() user: Principal,
    @Body() body: BulkTasksDto,
    @Req() request: FastifyRequest,
  ): Promise<BulkTasksResponseDto> {
    return { results: await this.bulk.run(user.userId, body.operations, request) };
  }

  /**
   * Get statistics of your tasks.
   *
   * @remarks Covers all tasks that are not deleted. Days begin at midnight of `timezone`. Numbers that change with time,
   * such as `overdue`, may be one minute old.
   */
  @CacheResponse('tasks', { expiry: statsExpiry })
  // Runs before the cache.
  @UseInterceptors(OwnTimezoneInterceptor)
  @Get('stats')
  getTaskStats(@CurrentUser() user: Principal, @Query() query: TaskStatsQueryDto): Promise<TaskStatsResponseDto> {
    return this.statistics.stats(user.userId, query.timezone);
  }

  /**
   * Read a task.
   *
   * @remarks A task that is deleted, or belongs to another user, is 404. The `ETag` is the version that a change may name
   * in `If-Match`.
   */
  @CacheResponse('tasks', { tag: etagOf })
  @Get(':id')
  getTask(@CurrentUser() user: Principal, @Param('id', IdPipe) id: string): Promise<TaskResponseDto> {
    return this.tasks.get(user.userId, id);
  }

  /**
   * Change a task.
   *
   * @remarks Changes the fields that are sent and keeps the others; null removes a date. `completedAt` follows `status`.
   * With `If-Match`, a task that was changed in the meantime is 412 `VERSION_MISMATCH` and stays as it is.
   */
  @Versioned()
  @ApiBody({ type: UpdateTaskDto, examples: { 'one field': { value: { status: 'done' } } } })
  @Patch(':id')
  updateTask(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Body() body: UpdateTaskDto,
    @Conditional() precondition: Precondition,
  ): Promise<TaskResponseDto> {
    return this.tasks.update(user.userId, id, body, precondition);
  }

  /**
   * Delete a task.
   *
   * @remarks It can be restored for 30 days. The `ETag` of the answer is the one that restoring it may name in `If-Match`.
   */
  @Versioned()
  @HttpCode(204)
  @Delete(':id')
  deleteTask(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Conditional() precondition: Precondition,
  ): Promise<HasVersion> {
    return this.tasks.delete(user.userId, id, precondition);
  }

  /**
   * Restore a deleted task.
   *
   * @remarks Possible for 30 days, then 404. A task that is not deleted is returned as it is.
   */
  @Versioned()
  @HttpCode(200)
  @Post(':id/restore')
  restoreTask(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Conditional() precondition: Precondition,
  ): Promise<TaskResponseDto> {
    return this.tasks.restore(user.userId, id, precondition);
  }

  /**
   * List the changes of a task.
   *
   * @remarks Newest first: who changed which fields, from which value to which. The `ETag` is that of the task.
   */
  @Versioned()
  @Get(':id/history')
  getTaskHistory(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Query() query: PageQueryDto,
  ): Promise<TaskHistoryResponseDto> {
    return this.history.list(user.userId, id, query);
  }
}
