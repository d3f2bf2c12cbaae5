import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/internal';
import type { FastifyRequest } from 'fastify';
import { ValidationFailedError } from '../errors/problem.js';
import { perRoute } from './per-route.js';

/**
 * Refuses a query or body sent to a handler that declares none. The validation pipe sees only what a handler
 * declares, so without this guard a misspelt parameter would be dropped in silence.
 */
@Injectable()
export class UndeclaredInputGuard implements CanActivate {
  private readonly declaredInputs = perRoute((context) => {
    const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name) as
      Record<string, unknown> | undefined;
    const declared = new Set(Object.keys(args ?? {}).map((key) => Number(key.split(':')[0]) as RouteParamtypes));
    return { query: declared.has(RouteParamtypes.QUERY), body: declared.has(RouteParamtypes.BODY) };
  });

  canActivate(context: ExecutionContext): boolean {
    const { query, body } = context.switchToHttp().getRequest<FastifyRequest>();
    const declared = this.declaredInputs(context);
    const unknown = [
      ...(declared.query ? [] : Object.keys(query as object)),
      ...(declared.body || body === null || typeof body !== 'object' ? [] : Object.keys(body)),
    ];
    if (unknown.length > 0) {
      throw new ValidationFailedError(unknown.map((field) => ({ field, message: 'is not known' })));
    }
    return true;
  }
}
