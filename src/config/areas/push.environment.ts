import { Matches, Validate, ValidateIf } from 'class-validator';
import { IsVapidPublicKey, VAPID_PAIR } from '../rules.js';

/** Web Push is on with both keys and off with none. */
const wantsPush = ({ VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY }: PushEnvironment) =>
  Boolean(VAPID_PUBLIC_KEY || VAPID_PRIVATE_KEY);

/** Web Push, which is on with both keys and off with none. */
export class PushEnvironment {
  @ValidateIf(wantsPush)
  @Validate(IsVapidPublicKey)
  readonly VAPID_PUBLIC_KEY?: string;

  @ValidateIf(wantsPush)
  @Matches(/^[\w-]{43}$/, { message: VAPID_PAIR })
  readonly VAPID_PRIVATE_KEY?: string;
}
