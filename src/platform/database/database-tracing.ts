import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { ObservabilityEnvironment } from '../../config/areas/observability.environment.js';
import { markFailed, tracer } from '../observability/tracing/spans.js';

interface StartedCommand {
  requestId: number;
  commandName: string;
  databaseName: string;
  command: Record<string, unknown>;
}

/** Makes a span of each command that is a part of a trace, from the driver's own monitoring events. */
@Injectable()
export class DatabaseTracing implements OnModuleInit {
  private readonly spans = new Map<number, Span>();

  constructor(
    @InjectConnection() private readonly connection: Connection,
    private readonly environment: ObservabilityEnvironment,
  ) {}

  onModuleInit(): void {
    if (!this.environment.OTEL_EXPORTER_OTLP_ENDPOINT) return;
    const client = this.connection.getClient();
    client.on('commandStarted', (event) => this.begin(event));
    client.on('commandSucceeded', ({ requestId }) => this.end(requestId));
    client.on('commandFailed', ({ requestId, failure }) => this.end(requestId, failure));
  }

  private begin({ requestId, commandName, databaseName, command }: StartedCommand): void {
    // Polls and sweeps belong to no request: each would be a trace of its own.
    if (!trace.getSpan(context.active())) return;
    const named = commandName === 'getMore' ? command['collection'] : command[commandName];
    const collection = typeof named === 'string' ? named : undefined;
    const attributes = {
      'db.system.name': 'mongodb',
      'db.namespace': databaseName,
      'db.operation.name': commandName,
      ...(collection && { 'db.collection.name': collection }),
    };
    const name = collection ? `${commandName} ${collection}` : commandName;
    this.spans.set(requestId, tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }));
  }

  private end(requestId: number, failure?: Error): void {
    const span = this.spans.get(requestId);
    if (!span) return;
    this.spans.delete(requestId);
    if (failure) markFailed(failure, span);
    span.end();
  }
}
