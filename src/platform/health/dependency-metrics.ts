import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Dependencies } from './dependencies.js';

/** Whether each dependency answers, asked when scraped. */
@Injectable()
export class DependencyMetrics {
  constructor(dependencies: Dependencies) {
    new Gauge({
      name: 'dependency_up',
      help: 'Whether a dependency answers this instance (1) or not (0): mongodb, redis, storage, rabbitmq where it is used',
      labelNames: ['dependency'],
      aggregator: 'min', // down for one worker is down
      async collect() {
        const answers = {
          mongodb: dependencies.mongodbWithSpace(),
          redis: dependencies.redisServer(),
          storage: dependencies.fileStorage(),
          rabbitmq: dependencies.rabbitmqServer,
        };
        for (const [dependency, answer] of Object.entries(answers)) {
          const up = await answer;
          if (up !== undefined) this.set({ dependency }, Number(up));
        }
      },
    });
  }
}
