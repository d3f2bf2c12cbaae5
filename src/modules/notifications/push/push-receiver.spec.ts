import { pushReceiver } from './push-receiver.js';

describe('the line of a push message', () => {
  it.each([
    ['https://fcm.googleapis.com/fcm/send/a', 'fcm.googleapis.com'],
    ['https://updates.push.services.mozilla.com/wpush/v2/a', 'updates.push.services.mozilla.com'],
    ['https://web.push.apple.com/a', 'web.push.apple.com'],
    ['https://wns2-db5p.notify.windows.com/w/?token=a', 'wns2-db5p.notify.windows.com'],
    ['https://a1.example.org/', 'user:7'],
    ['https://a2.example.org/', 'user:7'],
    ['https://fcm.googleapis.com.example.org/', 'user:7'],
    ['https://notfcm.googleapis.com.evil.example/', 'user:7'],
    ['https://evilnotify.windows.com/', 'user:7'],
  ])('to %s is that of %s', (endpoint, receiver) => {
    expect(pushReceiver(endpoint, '7')).toBe(receiver);
  });
});
