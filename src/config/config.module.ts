import { type DynamicModule, Module } from '@nestjs/common';
import { areaOf, AREAS, type Environment } from './environment.js';

/** Makes each area of the validated environment injectable everywhere: `constructor(environment: HttpEnvironment)`. */
@Module({})
export class ConfigModule {
  static forRoot(environment: Environment): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: AREAS.map((area) => ({ provide: area, useValue: areaOf<object>(area, environment) })),
      exports: [...AREAS],
    };
  }
}
