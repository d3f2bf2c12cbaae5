import { ProblemError } from '../../../common/errors/problem.js';

/** RFC 9110, 15.5.22; RFC 6455, 4.4. */
export class UpgradeRequiredError extends ProblemError {
  constructor() {
    super('UPGRADE_REQUIRED', 'Ask for a WebSocket of version 13 here.', {
      // Without `close`, Node would keep a connection that its client asked to close.
      headers: { Upgrade: 'websocket', Connection: 'Upgrade, close', 'Sec-WebSocket-Version': '13' },
    });
  }
}
