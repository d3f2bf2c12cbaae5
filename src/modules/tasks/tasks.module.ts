import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { MigrationsModule } from '../../platform/migrations/migrations.module.js';
import { DeletedTask, DeletedTaskSchema } from './schemas/deleted-task.schema.js';
import { TaskChange, TaskChangeSchema } from './schemas/task-change.schema.js';
import { AlarmClock } from './alarms/alarm-clock.js';
import { TaskAlarmsRepository } from './alarms/task-alarms.repository.js';
import { COUNT_ATTACHMENT_BYTES } from './migrations/count-attachment-bytes.js';
import { REBUILD_SEARCH_WORDS } from './migrations/rebuild-search-words.js';
import { TaskAlarm, TaskAlarmSchema } from './schemas/task-alarm.schema.js';
import { TaskOwner, TaskOwnerSchema } from './schemas/task-owner.schema.js';
import { Task, TaskSchema } from './schemas/task.schema.js';
import { TaskSeeder } from './seed/task.seeder.js';
import { TaskAttachmentCleanupService } from './task-attachment-cleanup.service.js';
import { TaskAttachmentsController } from './task-attachments.controller.js';
import { TaskAttachmentsService } from './task-attachments.service.js';
import { TaskBulkService } from './task-bulk.service.js';
import { TaskHistoryService } from './task-history.service.js';
import { TaskListService } from './task-list.service.js';
import { TaskOwnersService } from './task-owners.service.js';
import { TaskSearchService } from './task-search.service.js';
import { TaskStatsService } from './task-stats.service.js';
import { TasksController } from './tasks.controller.js';
import { TasksListener } from './tasks.listener.js';
import { TasksRepository } from './tasks.repository.js';
import { TasksService } from './tasks.service.js';

@Module({
  imports: [
    MongooseModule.forFeature([
      { name: Task.name, schema: TaskSchema },
      { name: DeletedTask.name, schema: DeletedTaskSchema },
      { name: TaskChange.name, schema: TaskChangeSchema },
      { name: TaskOwner.name, schema: TaskOwnerSchema },
      { name: TaskAlarm.name, schema: TaskAlarmSchema },
    ]),
    MigrationsModule.forFeature('tasks', [...COUNT_ATTACHMENT_BYTES, ...REBUILD_SEARCH_WORDS]),
  ],
  controllers: [TasksController, TaskAttachmentsController],
  providers: [
    TasksRepository,
    TasksService,
    TaskBulkService,
    TaskHistoryService,
    TaskListService,
    TaskSearchService,
    TaskStatsService,
    TaskOwnersService,
    TaskSeeder,
    TaskAttachmentsService,
    TaskAttachmentCleanupService,
    TasksListener,
    TaskAlarmsRepository,
    AlarmClock,
  ],
})
export class TasksModule {}
