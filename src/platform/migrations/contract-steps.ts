import { Injectable } from '@nestjs/common';
import { Ledger } from './ledger.js';

/** Tells when a process may begin to write what the previous release can't read. */
@Injectable()
export class ContractSteps {
  private readonly begun = new Set<string>();

  constructor(private readonly ledger: Ledger) {}

  /**
   * Whether a contract step has begun in this database: then no instance of the previous release serves. It asks the
   * database until that is so, and remembers it.
   *
   * @param id with its owner, as the ledger has it
   */
  async hasBegun(id: string): Promise<boolean> {
    if (!this.begun.has(id) && (await this.ledger.find(id))) this.begun.add(id);
    return this.begun.has(id);
  }
}
