import { Counter, Gauge, Histogram } from 'prom-client';
import type { ChannelName } from '../../../contracts/notification-events.js';

const deliveries = new Counter({
  name: 'notification_deliveries_total',
  help: 'Attempts at deliveries by channel and outcome (delivered, skipped, postponed, delayed, refused)',
  labelNames: ['channel', 'outcome'],
});
const seconds = new Histogram({
  name: 'notification_delivery_seconds',
  help: 'How long an attempt at a delivery took, by channel and outcome',
  labelNames: ['channel', 'outcome'],
  buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600],
});
const circuits = new Map<ChannelName, () => number>();
new Gauge({
  name: 'notification_circuits_open',
  help: 'Receivers and carriers that are left alone for a while, after repeated failures, by channel',
  labelNames: ['channel'],
  collect() {
    for (const [channel, count] of circuits) this.set({ channel }, count());
  },
});

/** @returns what to call with the outcome */
export function observeDelivery(channel: ChannelName): (outcome: string) => void {
  const stop = seconds.startTimer({ channel });
  return (outcome) => {
    deliveries.inc({ channel, outcome });
    stop({ outcome });
  };
}

export function observeCircuits(channel: ChannelName, count: () => number): void {
  circuits.set(channel, count);
}
