import { freePort } from '../../local/ports.js';
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { type EnvironmentOverrides, startService, type TestService } from '../support/service.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

let ours: Authority;
let another: Authority;
let client: Certificate;
let url: string;

/** A broker that takes TLS alone on its port, and only from whoever shows a certificate of our authority. */
beforeAll(async () => {
  [ours, another] = [makeAuthority('Ours'), makeAuthority('Another')];
  client = ours.issue('client');
  const server = ours.issue('server');
  const port = await freePort();
  await startOwnRabbitMq([
    `listeners.ssl.1 = 127.0.0.1:${port}`,
    `ssl_options.cacertfile = ${ours.certFile}`,
    `ssl_options.certfile = ${server.certFile}`,
    `ssl_options.keyfile = ${server.keyFile}`,
    'ssl_options.verify = verify_peer',
    'ssl_options.fail_if_no_peer_cert = true',
  ]);
  url = `amqps://guest:guest@127.0.0.1:${port}`;
}, 120_000);
afterAll(() => {
  ours.remove();
  another.remove();
});

const start = (variables: EnvironmentOverrides) =>
  startService({ EVENT_BUS: 'rabbitmq', RABBITMQ_URL: url, ...variables });
const certificateOf = ({ certFile, keyFile }: Certificate) => ({
  RABBITMQ_TLS_CERT_FILE: certFile,
  RABBITMQ_TLS_KEY_FILE: keyFile,
});
/** What the service says of its broker. */
const warningsOf = (service: TestService) =>
  service
    .logLines()
    .filter(({ context }) => context === 'RabbitMQ')
    .map(({ msg }) => String(msg));

it('carries events with a private authority and a client certificate', async () => {
  const service = await start({ RABBITMQ_TLS_CA_FILE: ours.certFile, ...certificateOf(client) });
  const user = await registerUser(service);
  await waitFor('the profile, which an event brings', async () => {
    return (await user.api.get('/api/v1/users/me')).status === 200;
  });
  await waitFor('the event to have gone by the broker', async () => {
    const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
    return /^events_consumed_total\{consumer="users",outcome="handled"\} [1-9]/m.test(metrics);
  });
  expect(warningsOf(service)).toEqual([]);
});

it.each<[string, () => EnvironmentOverrides, RegExp]>([
  [
    "the broker's certificate is of another authority",
    () => ({ RABBITMQ_TLS_CA_FILE: another.certFile, ...certificateOf(client) }),
    /its certificate isn't trusted: check RABBITMQ_TLS_CA \(\w+\)$/,
  ],
  [
    'the broker wants a certificate and gets none',
    () => ({ RABBITMQ_TLS_CA_FILE: ours.certFile }),
    /check RABBITMQ_TLS_CERT and RABBITMQ_TLS_KEY \(\w+\)$/,
  ],
  [
    'the client is of another authority',
    () => ({ RABBITMQ_TLS_CA_FILE: ours.certFile, ...certificateOf(another.issue('stranger')) }),
    /check RABBITMQ_TLS_CERT and RABBITMQ_TLS_KEY \(\w+\)$/,
  ],
])('says so in one sentence when %s', async (_, variables, sentence) => {
  const service = await start(variables());
  const [warning] = await waitFor('the warning', () => {
    const warnings = warningsOf(service);
    return warnings.length > 0 && warnings;
  });
  expect(warning).toMatch(/^not reachable, events wait in the outbox meanwhile: /);
  expect(warning).toMatch(sentence);
});
