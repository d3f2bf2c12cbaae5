import { Global, Module } from '@nestjs/common';
import { SecretBox } from './crypto/secret-box.js';
import { RouteMethods } from './http/route-methods.js';
import { ProblemPagesController } from './pages/problem-pages.controller.js';
import { StaticFilesController } from './pages/static-files.controller.js';
import { Cursors } from './pagination/cursor.js';

@Global()
@Module({
  controllers: [StaticFilesController, ProblemPagesController],
  providers: [SecretBox, Cursors, RouteMethods],
  exports: [SecretBox, Cursors, RouteMethods],
})
export class CommonModule {}
