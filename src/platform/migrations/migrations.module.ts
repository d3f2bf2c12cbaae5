import { type DynamicModule, Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { ContractSteps } from './contract-steps.js';
import { DatabaseReadiness } from './database-readiness.js';
import { Ledger } from './ledger.js';
import type { Migration } from './migration.js';
import { MigrationEntry, MigrationEntrySchema } from './migration-entry.schema.js';
import { MigrationRegistry } from './migration-registry.js';
import { Migrator } from './migrator.js';

@Module({})
class FeatureMigrationsModule {}

@Global()
@Module({
  imports: [MongooseModule.forFeature([{ name: MigrationEntry.name, schema: MigrationEntrySchema }])],
  providers: [MigrationRegistry, Ledger, Migrator, DatabaseReadiness, ContractSteps],
  exports: [MigrationRegistry, Migrator, DatabaseReadiness, ContractSteps],
})
export class MigrationsModule {
  /** Registers the migrations of the module that imports it; `owner` begins their ids in the ledger. */
  static forFeature(owner: string, migrations: Migration[]): DynamicModule {
    return {
      module: FeatureMigrationsModule,
      providers: [
        {
          provide: `migrations of ${owner}`,
          inject: [MigrationRegistry],
          useFactory: (registry: MigrationRegistry) => registry.add(owner, migrations),
        },
      ],
    };
  }
}
