import { Injectable } from '@nestjs/common';
import type { Migration } from './migration.js';

/** A migration as the ledger and the operator know it. */
export interface RegisteredMigration extends Migration {
  /** With its owner: `auth.0001-what-it-does`. */
  id: string;
  required: boolean;
}

const ID = /^\d{4}-[a-z0-9]+(-[a-z0-9]+)*$/;

/** The migrations of all parts that this process serves. */
@Injectable()
export class MigrationRegistry {
  private readonly migrations = new Map<string, RegisteredMigration>();

  /** Owner by owner, each in the order of its numbers. */
  get all(): RegisteredMigration[] {
    return [...this.migrations.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * @param owner the module, or the folder in `platform/`, whose collections they change
   * @throws Error for an id that isn't `0001-what-it-does`, and for a number that the owner has used already
   */
  add(owner: string, migrations: Migration[]): void {
    for (const migration of migrations) {
      if (!ID.test(migration.id)) throw new Error(`The id of a migration is like 0001-what-it-does: ${migration.id}`);
      const id = `${owner}.${migration.id}`;
      const number = `${owner}.${migration.id.slice(0, 4)}-`;
      const other = [...this.migrations.keys()].find((known) => known.startsWith(number));
      if (other) throw new Error(`Two migrations have the same number: ${other} and ${id}`);
      const required = migration.required ?? migration.phase === 'expand';
      this.migrations.set(id, { ...migration, id, required });
    }
  }
}
