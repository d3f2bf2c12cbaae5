import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { canonicalAddresses } from '../../platform/migrations/canonical-addresses.js';
import { MigrationsModule } from '../../platform/migrations/migrations.module.js';
import { PhoneCode, PhoneCodeSchema } from './phone/phone-code.schema.js';
import { PhoneNumbersService } from './phone/phone-numbers.service.js';
import { PhoneController } from './phone/phone.controller.js';
import { AvatarsController } from './avatars.controller.js';
import { AvatarsService } from './avatars.service.js';
import { User, UserSchema } from './schemas/user.schema.js';
import { UnsubscribeController } from './unsubscribe/unsubscribe.controller.js';
import { UserAdministrationService } from './user-administration.service.js';
import { UserLifecycleService } from './user-lifecycle.service.js';
import { UsersController } from './users.controller.js';
import { UsersListener } from './users.listener.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [
    MongooseModule.forFeature([
      { name: User.name, schema: UserSchema },
      { name: PhoneCode.name, schema: PhoneCodeSchema },
    ]),
    MigrationsModule.forFeature('users', [canonicalAddresses('users', 'version')]),
  ],
  controllers: [UsersController, PhoneController, AvatarsController, UnsubscribeController],
  providers: [
    UsersService,
    PhoneNumbersService,
    AvatarsService,
    UserLifecycleService,
    UserAdministrationService,
    UsersListener,
  ],
})
export class UsersModule {}
