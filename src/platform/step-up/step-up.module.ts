import { Global, Module } from '@nestjs/common';
import { StepUp } from './step-up.js';

@Global()
@Module({ providers: [StepUp], exports: [StepUp] })
export class StepUpModule {}
