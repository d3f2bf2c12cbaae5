import { isPushEndpoint } from './push-endpoint.js';

describe('isPushEndpoint', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/a',
    'https://updates.push.services.mozilla.com./wpush/v2/a',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]/',
    'https://mylocal.example.org/',
    'https://local.example.org/',
  ])('takes %s', (endpoint) => expect(isPushEndpoint(endpoint)).toBe(true));

  it.each([
    'http://fcm.googleapis.com/',
    'https://fcm.googleapis.com:8443/',
    'https://user@fcm.googleapis.com/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://api.localhost/',
    'https://metadata/',
    'https://redis/',
    'https://metadata.google.internal/',
    'https://service.namespace.svc.cluster.local/',
    'https://printer.local./',
    'https://router.lan/',
    'https://nas.home.arpa/',
    'https://wiki.corp/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://10.0.0.1./',
    'https://169.254.169.254/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00::1]/',
    'push',
    '',
    7,
  ])('refuses %s', (endpoint) => expect(isPushEndpoint(endpoint)).toBe(false));
});
