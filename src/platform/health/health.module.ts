import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Dependencies } from './dependencies.js';
import { DependencyMetrics } from './dependency-metrics.js';
import { HealthController } from './health.controller.js';
import { LandingController } from './landing.controller.js';

@Module({
  imports: [TerminusModule],
  providers: [Dependencies, DependencyMetrics],
  controllers: [HealthController, LandingController],
})
export class HealthModule {}
