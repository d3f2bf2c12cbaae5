import { Seconds, Whole } from '../variable-decorators.js';

/** How many requests a client may send. */
export class ThrottlingEnvironment {
  @Whole('a number of requests', 1)
  readonly THROTTLE_GENERAL_LIMIT: number = 100;

  @Seconds(1)
  readonly THROTTLE_GENERAL_WINDOW_SECONDS: number = 900;

  @Whole('a number of requests', 1)
  readonly THROTTLE_STRICT_LIMIT: number = 5;

  @Seconds(1)
  readonly THROTTLE_STRICT_WINDOW_SECONDS: number = 60;
}
