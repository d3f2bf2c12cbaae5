/** A contestant: `node:http` alone. */
import { createServer } from 'node:http';
import { announce, PAGE } from './answers.mjs';

const server = createServer((_request, response) => {
  const body = JSON.stringify(PAGE);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
});
server.listen(0, '127.0.0.1', () => announce(server.address().port));
