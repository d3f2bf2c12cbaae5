import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { TaskOwner, TaskOwnerSchema } from './schemas/task-owner.schema.js';
import { Task, TaskSchema } from './schemas/task.schema.js';
import { TaskListService } from './task-list.service.js';
import { TaskOwnersService } from './task-owners.service.js';
import { TaskStatsService } from './task-stats.service.js';
import { TasksController } from './tasks.controller.js';
import { TasksListener } from './tasks.listener.js';
import { TasksService } from './tasks.service.js';

@Module({
  imports: [
    MongooseModule.forFeature([
      { name: Task.name, schema: TaskSchema },
      { name: TaskOwner.name, schema: TaskOwnerSchema },
    ]),
  ],
  controllers: [TasksController],
  providers: [TasksService, TaskListService, TaskStatsService, TaskOwnersService, TasksListener],
})
export class TasksModule {}
