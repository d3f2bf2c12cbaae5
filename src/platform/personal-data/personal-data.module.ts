import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { MongooseModule } from '@nestjs/mongoose';
import type { ModuleName } from '../../contracts/modules.js';
import { DATA_HOLDERS } from './data-holders.js';
import { ErasedEvents } from './erased-events.js';
import { PersonalData } from './personal-data.js';
import { RemoteExports } from './remote-exports.js';
import { Tombstone, TombstoneSchema } from './tombstone.schema.js';

/** A person's right to see all of theirs, and to be forgotten. */
@Module({})
export class PersonalDataModule {
  /** @param holders the modules that hold something of a person, whether this process serves them or not */
  static forRoot(holders: ModuleName[]): DynamicModule {
    return {
      module: PersonalDataModule,
      global: true,
      imports: [DiscoveryModule, MongooseModule.forFeature([{ name: Tombstone.name, schema: TombstoneSchema }])],
      providers: [{ provide: DATA_HOLDERS, useValue: holders }, PersonalData, RemoteExports, ErasedEvents],
      exports: [PersonalData],
    };
  }
}
