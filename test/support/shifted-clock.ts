import type { EnvironmentOverrides } from './service.js';

/** An environment in which a process's clock is ahead (behind, if negative). Its monotonic clock and timers are as they are. */
export function shiftedClock(seconds: number): EnvironmentOverrides {
  const script = `const clock = Date.now, now = () => clock() + ${seconds * 1000};
    Date.now = now;
    globalThis.Date = new Proxy(Date, {
      construct: (target, parts) => Reflect.construct(target, parts.length > 0 ? parts : [now()]),
    });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}
