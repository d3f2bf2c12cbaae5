import type { DeliveryResponseDto, DeliveryState } from '../dto/delivery-response.dto.js';
import type { Delivery } from '../schemas/delivery.schema.js';
import { failureText } from './delivery-errors.js';

export function toDeliveryResponse(delivery: Delivery): DeliveryResponseDto {
  const { channel, attempts, lastError, deliveredAt } = delivery;
  return {
    channel,
    state: stateOf(delivery),
    attempts,
    lastError: failureText(lastError),
    deliveredAt: deliveredAt?.toISOString() ?? null,
  };
}

function stateOf({ state, deliveredAt }: Delivery): DeliveryState {
  if (state === 'ready') return 'pending';
  if (state === 'done') return deliveredAt ? 'delivered' : 'skipped';
  return 'failed';
}
