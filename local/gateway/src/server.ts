import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ClientConnection } from './client-connection.js';
import { Services } from './services.js';
import type { PoolSizes } from './services.js';
import type { PgAddress } from './postgres/pg-connection.js';

/** How long a shutdown waits for running commands. */
const DRAIN_MS = 3_000;

const LOOPBACK = '127.0.0.1';

export interface GatewayOptions {
  postgres: PgAddress;
  /** 0: any free one */
  port: number;
  pools?: PoolSizes;
}

/** A server of MongoDB's wire protocol in front of one PostgreSQL with DocumentDB. */
export class Gateway {
  private readonly clients = new Set<ClientConnection>();
  private lastClientId = 0;

  private constructor(
    readonly services: Services,
    private readonly server: Server,
  ) {}

  /** @throws when PostgreSQL cannot be reached, has no DocumentDB, or the port is taken */
  static async start({ postgres, port, pools }: GatewayOptions): Promise<Gateway> {
    const services = new Services(postgres, pools);
    try {
      await prepareEngine(services);
      const server = createServer({ noDelay: true });
      const gateway = new Gateway(services, server);
      server.on('connection', (socket) => {
        const client = new ClientConnection(services, socket, ++gateway.lastClientId);
        gateway.clients.add(client);
        socket.on('close', () => {
          gateway.clients.delete(client);
          void services.sessions.connectionClosed(client.id);
        });
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, LOOPBACK, 2048, resolve);
      });
      return gateway;
    } catch (error) {
      await services.close();
      throw error;
    }
  }

  get address(): string {
    return `${LOOPBACK}:${(this.server.address() as AddressInfo).port}`;
  }

  /** Answers what is running (for a few seconds at most), rolls open transactions back and hangs up. */
  async stop(): Promise<void> {
    this.server.close();
    const finished = Promise.all([...this.clients].map((client) => client.finish()));
    await Promise.race([finished, pause(DRAIN_MS, undefined, { ref: false })]);
    for (const client of this.clients) client.destroy();
    await Promise.race([this.services.close(), pause(DRAIN_MS, undefined, { ref: false })]);
  }
}

/** The engine clears a cursor's pages away after a minute; mongod's cursors last ten, some until told. */
const CURSOR_FILES_LAST_SECONDS = '3600';

async function prepareEngine({ executor }: Services): Promise<void> {
  const rows = await executor.run(
    { text: `select 1 from pg_extension where extname = 'documentdb'` },
    { isRead: true },
  );
  if (rows.length === 0) throw new Error('PostgreSQL has no documentdb extension: CREATE EXTENSION documentdb CASCADE');
  const setting = 'documentdb.defaultCursorExpiryTimeLimitSeconds';
  const [row] = await executor.run({ text: `select current_setting('${setting}'), quote_ident(current_database())` });
  if (row![0]!.toString() === CURSOR_FILES_LAST_SECONDS) return;
  await executor.run({
    text: `alter database ${row![1]!.toString()} set ${setting} = ${CURSOR_FILES_LAST_SECONDS}`,
    isOneOff: true,
  });
}
