import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { whenOver } from './when-over.js';

let server: Server;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.close());

const port = () => (server.address() as AddressInfo).port;
const nextResponse = async () => ((await once(server, 'request')) as [IncomingMessage, ServerResponse])[1];

describe('the end of a response', () => {
  it('is noticed once where it is sent, and at once where it was before', async () => {
    const asked = request({ host: '127.0.0.1', port: port() }).end();
    const response = await nextResponse();
    let ends = 0;
    whenOver(response, () => ends++);
    expect(ends).toBe(0);
    const closed = once(response, 'close');
    response.end();
    await closed;
    expect(ends).toBe(1);
    whenOver(response, () => ends++);
    expect(ends).toBe(2);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
  });

  it('is noticed where the client goes, also for requests behind another one on its connection', async () => {
    const responses: ServerResponse[] = [];
    let ends = 0;
    const all = new Promise<void>((resolve) => {
      server.on('request', (_, response) => {
        responses.push(response);
        whenOver(response, () => ends++);
        if (responses.length === 3) resolve();
      });
    });
    const socket = connect(port(), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
    await all;
    expect(ends).toBe(0);
    const connection = responses[0]!.req.socket;
    const closed = once(connection, 'close');
    socket.destroy();
    await closed;
    expect(ends).toBe(3);
    whenOver(responses[2]!, () => ends++);
    expect(ends).toBe(4);
  });
});
