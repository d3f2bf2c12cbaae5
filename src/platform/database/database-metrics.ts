import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { Gauge, Histogram } from 'prom-client';

/** Query times and the state of the pool, from the driver's own monitoring events. */
@Injectable()
export class DatabaseMetrics implements OnModuleInit {
  private readonly duration = new Histogram({
    name: 'mongodb_command_duration_seconds',
    help: 'Duration of MongoDB commands',
    labelNames: ['command', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  });
  private readonly inUse = new Gauge({
    name: 'mongodb_pool_in_use',
    help: 'Connections of the pool that work on an operation',
  });
  private readonly waiting = new Gauge({
    name: 'mongodb_pool_waiting',
    help: 'Operations that wait for a connection of the pool',
  });

  constructor(@InjectConnection() private readonly connection: Connection) {}

  onModuleInit(): void {
    const client = this.connection.getClient();
    client.on('commandSucceeded', ({ commandName, duration }) => this.observe(commandName, 'success', duration));
    client.on('commandFailed', ({ commandName, duration }) => this.observe(commandName, 'failure', duration));
    client.on('connectionCheckOutStarted', () => this.waiting.inc());
    client.on('connectionCheckOutFailed', () => this.waiting.dec());
    client.on('connectionCheckedOut', () => {
      this.waiting.dec();
      this.inUse.inc();
    });
    client.on('connectionCheckedIn', () => this.inUse.dec());
  }

  private observe(command: string, outcome: 'success' | 'failure', milliseconds: number): void {
    this.duration.observe({ command, outcome }, milliseconds / 1000);
  }
}
