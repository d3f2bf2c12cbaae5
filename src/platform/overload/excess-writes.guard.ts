import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf, requestContext } from '../../common/http/request-context.js';
import { whenOver } from '../../common/http/when-over.js';
import { Transactions } from '../database/transactions.js';
import { shedRequest } from './load-shedding.js';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses writes beyond as many as may run or wait for a transaction. They would be refused there anyway, after they have
 * been counted, validated and have read from the database. Comes after authentication, because the decision depends on
 * the caller: the one with the most writes in flight is refused, and the others are served.
 */
@Injectable()
export class ExcessWritesGuard implements CanActivate {
  private inFlight = 0;
  /** Writes in flight by caller. */
  private readonly byCaller = new Map<string, number>();

  constructor(private readonly transactions: Transactions) {}

  /** @throws OverloadedError */
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = requestContext.getStore();
    if (!request || READING.has(http.getRequest<FastifyRequest>().method)) return true;
    const caller = callerOf(request);
    if (this.inFlight >= this.transactions.capacity && this.hasMost(caller)) throw shedRequest();
    this.count(caller, 1);
    whenOver(http.getResponse<FastifyReply>().raw, () => this.count(caller, -1));
    return true;
  }

  /** Whether with one more no other caller would have more. */
  private hasMost(caller: string): boolean {
    const own = (this.byCaller.get(caller) ?? 0) + 1;
    for (const others of this.byCaller.values()) if (others > own) return false;
    return true;
  }

  private count(caller: string, change: 1 | -1): void {
    this.inFlight += change;
    const count = (this.byCaller.get(caller) ?? 0) + change;
    if (count === 0) this.byCaller.delete(caller);
    else this.byCaller.set(caller, count);
  }
}
