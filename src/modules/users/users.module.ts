import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { User, UserSchema } from './schemas/user.schema.js';
import { UnsubscribeController } from './unsubscribe/unsubscribe.controller.js';
import { UserLifecycleService } from './user-lifecycle.service.js';
import { UsersController } from './users.controller.js';
import { UsersListener } from './users.listener.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [MongooseModule.forFeature([{ name: User.name, schema: UserSchema }])],
  controllers: [UsersController, UnsubscribeController],
  providers: [UsersService, UserLifecycleService, UsersListener],
})
export class UsersModule {}
