import { Counter } from 'prom-client';
import { type ChannelName, CHANNELS } from '../../../contracts/notification-events.js';

/** Why a message isn't sent: its user's quota or the SMS budget is used up, or its number gets no SMS. */
const REASONS = ['user-quota', 'sms-budget', 'sms-not-allowed'] as const;
export type DropReason = (typeof REASONS)[number];

const dropped = new Counter({
  name: 'notifications_dropped_total',
  help: 'Messages that were not sent, by channel and reason (user-quota, sms-budget, sms-not-allowed)',
  labelNames: ['channel', 'reason'],
});
const collapsed = new Counter({
  name: 'notifications_collapsed_total',
  help: 'Messages that became part of another one because several of one type came within a minute, by channel',
  labelNames: ['channel'],
});
// From 0 on: a series that began with its first count would have grown by nothing.
for (const channel of CHANNELS) {
  collapsed.inc({ channel }, 0);
  for (const reason of REASONS) if (channel === 'sms' || reason === 'user-quota') dropped.inc({ channel, reason }, 0);
}

/** To be called once the transaction is committed. */
export function countDropped(channel: ChannelName, reason: DropReason, count = 1): void {
  dropped.inc({ channel, reason }, count);
}

/** To be called once the transaction is committed. */
export function countCollapsed(channel: ChannelName): void {
  collapsed.inc({ channel });
}
