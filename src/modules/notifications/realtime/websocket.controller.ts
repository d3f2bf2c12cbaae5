import { Controller, Get, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../../common/auth/principal.js';
import { UpgradeRequiredError } from './upgrade-required.error.js';

/** Requests to `/ws` that ask for no WebSocket; those that do never reach the framework. */
@ApiExcludeController()
@Public()
@Controller({ path: 'ws', version: VERSION_NEUTRAL })
export class WebSocketController {
  @Get()
  requireUpgrade(): never {
    throw new UpgradeRequiredError();
  }
}
