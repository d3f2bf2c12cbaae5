import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { databaseOf } from './database.js';
import { type StandIn, startStandIn } from './http-stand-in.js';
import type { EnvironmentOverrides, TestService } from './service.js';
import { registerVerifiedUser, type TestUser } from './users.js';
import { waitFor } from './wait-for.js';

const ME = '/api/v1/users/me';

/** Takes the SMS of a service by its webhook driver. */
export interface SmsReceiver {
  environment: EnvironmentOverrides;
  textsTo(number: string): string[];
  close(): Promise<void>;
}

export async function startSmsReceiver(): Promise<SmsReceiver> {
  const provider: StandIn = await startStandIn(() => ({ status: 200 }));
  const sms = () =>
    provider.received.map(({ body }) => (JSON.parse(body) as { data: { to: string; text: string } }).data);
  return {
    environment: {
      SMS_DRIVER: 'webhook',
      SMS_WEBHOOK_URL: provider.url,
      SMS_WEBHOOK_SECRET: randomBytes(32).toString('base64'),
    },
    textsTo: (number) =>
      sms()
        .filter(({ to }) => to === number)
        .map(({ text }) => text),
    close: () => provider.close(),
  };
}

/** A user with a verified address and number, who wants messages by these channels. */
export async function registerReachableUser(
  service: TestService,
  sms: SmsReceiver,
  { number, channels }: { number: string; channels: { email: boolean; push: boolean; sms: boolean } },
): Promise<TestUser> {
  const user = await registerVerifiedUser(service);
  const { api } = user;
  await api.patch(ME, { phone: number });
  await api.post(`${ME}/phone/send-code`);
  const text = await waitFor('the code', () => sms.textsTo(number)[0]);
  await api.post(`${ME}/phone/verify`, { code: /\b\d{6}\b/.exec(text)?.[0] });
  await api.put(`${ME}/preferences`, { channels, mutedEvents: [], quietHours: null, digest: 'off' });
  await waitFor('the contact to know', () =>
    databaseOf(service)
      .collection('contacts')
      .findOne({
        _id: new ObjectId(user.id),
        emailVerified: true,
        verifiedPhone: number,
        'preferences.channels.email': channels.email,
      }),
  );
  return user;
}
