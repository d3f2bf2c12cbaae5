import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type DriverConnection, requireFromMongoose } from './closing-connections.js';

interface Commanded extends DriverConnection {
  command(namespace: { db: string }, command: object, options?: object): Promise<unknown>;
  writeCommand(command: { toBin(): Promise<Uint8Array[]> }, options: object): Promise<void>;
}
const { Connection } = requireFromMongoose('mongodb/lib/cmap/connection.js') as {
  Connection: new (socket: Socket, options: object) => Commanded;
};

let server: Server;
let socket: Socket;
let connection: Commanded;
beforeEach(async () => {
  server = createServer((accepted) => accepted.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  socket = connect(port, '127.0.0.1');
  connection = new Connection(socket, { id: 1, hostAddress: { toString: () => 'the server' } });
  await once(socket, 'end');
});
afterEach(() => server.close());

it('a command between the end of a connection and the word of it fails, instead of waiting for ever', async () => {
  // Its own side has ended as well by then, and 'close' is yet to come.
  await new Promise(setImmediate);
  await expect(connection.command({ db: 'admin' }, { hello: 1 })).rejects.toThrow('closed');
});

it('so does a command that is compressed only after that', async () => {
  const compressed = async () => {
    await once(socket, 'close');
    return [Buffer.from('late')];
  };
  await expect(connection.writeCommand({ toBin: compressed }, { agreedCompressor: 'none' })).rejects.toThrow('writing');
});
