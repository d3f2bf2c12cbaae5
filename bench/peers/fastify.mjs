/** A contestant: Fastify with its defaults, without a log. */
import fastify from 'fastify';
import { announce, PAGE } from './answers.mjs';

const server = fastify();
server.get('/tasks', async () => PAGE);
await server.listen({ port: 0, host: '127.0.0.1' });
announce(server.server.address().port);
