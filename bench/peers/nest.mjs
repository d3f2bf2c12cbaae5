/** A contestant: Nest on Fastify with its defaults, one controller. Decorators are called, since this file isn't compiled. */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { announce, PAGE } from './answers.mjs';

class TasksController {
  list() {
    return PAGE;
  }
}
Controller('tasks')(TasksController);
Get()(TasksController.prototype, 'list', Object.getOwnPropertyDescriptor(TasksController.prototype, 'list'));

class AppModule {}
Module({ controllers: [TasksController] })(AppModule);

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
await app.listen(0, '127.0.0.1');
announce(app.getHttpServer().address().port);
