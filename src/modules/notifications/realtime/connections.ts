import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import type { LiveConnection } from './live-connection.js';

const count = new Gauge({ name: 'websocket_connections', help: 'Open WebSockets that are authenticated' });

/** The connections of this process, to be found by what concerns them: a user, or a session. */
@Injectable()
export class Connections {
  private readonly open = new Set<LiveConnection>();
  /** `user:<id>` or `session:<id>` */
  private readonly byKey = new Map<string, Set<LiveConnection>>();

  add(connection: LiveConnection): void {
    this.open.add(connection);
    for (const key of keysOf(connection)) {
      const others = this.byKey.get(key);
      if (others) others.add(connection);
      else this.byKey.set(key, new Set([connection]));
    }
    count.set(this.open.size);
  }

  remove(connection: LiveConnection): void {
    this.open.delete(connection);
    for (const key of keysOf(connection)) {
      const others = this.byKey.get(key);
      others?.delete(connection);
      if (others?.size === 0) this.byKey.delete(key);
    }
    count.set(this.open.size);
  }

  of(kind: 'user' | 'session', id: string): LiveConnection[] {
    return [...(this.byKey.get(`${kind}:${id}`) ?? [])];
  }

  /** The users who have any. */
  userIds(): string[] {
    return [...new Set([...this.open].map(({ subject }) => subject.userId))];
  }

  all(): LiveConnection[] {
    return [...this.open];
  }
}

function keysOf({ subject }: LiveConnection): string[] {
  return [`user:${subject.userId}`, `session:${subject.sessionId}`];
}
