import { Counter, Gauge, Histogram } from 'prom-client';
import type { ChannelName } from '../../../contracts/notification-events.js';

const OUTCOMES = ['delivered', 'skipped', 'postponed', 'delayed', 'refused'];

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
/** How many circuits of a channel are open: its carrier's (0 or 1), and those of its receivers. */
export interface OpenCircuits {
  carrier: () => number;
  receiver: () => number;
}
const circuits = new Map<ChannelName, OpenCircuits>();
new Gauge({
  name: 'notification_circuits_open',
  help: 'Carriers and receivers that are left alone for a while, after repeated failures, by channel and party',
  labelNames: ['channel', 'party'],
  collect() {
    for (const [channel, { carrier, receiver }] of circuits) {
      this.set({ channel, party: 'carrier' }, carrier());
      this.set({ channel, party: 'receiver' }, receiver());
    }
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

/** Exposes a channel's metrics from now on; its counters begin at 0. */
export function observeChannel(channel: ChannelName, open: OpenCircuits): void {
  circuits.set(channel, open);
  for (const outcome of OUTCOMES) {
    deliveries.inc({ channel, outcome }, 0);
    seconds.zero({ channel, outcome });
  }
}
