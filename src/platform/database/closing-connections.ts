import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** The driver's connection, which it doesn't export, as far as it is needed here. */
export interface DriverConnection {
  readonly socket: Socket;
  /** Called with why, whenever the connection is found to have ended. */
  cleanup(error: Error): void;
}

/** Resolves from where Mongoose is, which has a driver of its own. */
export const requireFromMongoose = createRequire(createRequire(import.meta.url).resolve('mongoose'));
const { Connection } = requireFromMongoose('mongodb/lib/cmap/connection.js') as {
  Connection: { prototype: DriverConnection };
};

/**
 * Works around a fault of the driver (seen in 7.5 to 7.9): a command that is written just after the server has closed the connection, and
 * just before the socket says so, waits forever for the socket to drain. If that is the heartbeat, the process never
 * finds its database again. With the workaround, the end of the connection resumes the waiting command, which then fails. So
 * does a command that is ready to be written only afterwards, because it was being compressed.
 */
const { cleanup } = Connection.prototype;
Connection.prototype.cleanup = function (this: DriverConnection, error: Error): void {
  cleanup.call(this, error);
  this.socket.write = () => {
    throw error;
  };
  this.socket.emit('drain');
};
