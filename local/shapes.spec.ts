import { assertInstalled } from './shapes.js';

describe('a shape', () => {
  it('says what to install for it', () => {
    const nothing = () => undefined;
    expect(() => assertInstalled('single', {}, nothing)).not.toThrow();
    expect(() => assertInstalled('replicas', {}, nothing)).toThrow(/^This needs nginx, .* apt install nginx first/);
    expect(() => assertInstalled('split', {}, nothing)).toThrow(/apt install nginx rabbitmq-server first/);
    const nginxAlone = (name: string) => (name === 'nginx' ? '/usr/sbin/nginx' : undefined);
    expect(() => assertInstalled('split', {}, nginxAlone)).toThrow(/^This needs rabbitmq-server, /);
    expect(() => assertInstalled('split', { RABBITMQ_URL: 'amqp://elsewhere' }, nginxAlone)).not.toThrow();
    expect(() => assertInstalled('split', {}, (name) => `/usr/sbin/${name}`)).not.toThrow();
  });
});
