import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { MongooseModule } from '@nestjs/mongoose';
import { ErasedEvents } from './erased-events.js';
import { PersonalData } from './personal-data.js';
import { RemoteExports } from './remote-exports.js';
import { Tombstone, TombstoneSchema } from './tombstone.schema.js';

@Global()
@Module({
  imports: [DiscoveryModule, MongooseModule.forFeature([{ name: Tombstone.name, schema: TombstoneSchema }])],
  providers: [PersonalData, RemoteExports, ErasedEvents],
  exports: [PersonalData],
})
export class PersonalDataModule {}
