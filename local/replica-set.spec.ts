import { MongoServerError } from 'mongodb';
import { type AdminCommands, configureReplicaSet } from './replica-set.js';

/** A server that answers `replSetGetConfig` with `config`, and a list of what else it was asked. */
function server(config: object | undefined): { admin: AdminCommands; asked: Record<string, unknown>[] } {
  const asked: Record<string, unknown>[] = [];
  const admin: AdminCommands = {
    async command(command) {
      if (!('replSetGetConfig' in command)) {
        asked.push(command);
        return { ok: 1 };
      }
      if (!config) throw new MongoServerError({ message: 'no replset config has been received', code: 94 });
      return { config };
    },
  };
  return { admin, asked };
}

describe('configureReplicaSet', () => {
  it('makes a fresh server a set of one', async () => {
    const { admin, asked } = server(undefined);
    await configureReplicaSet(admin, '127.0.0.1:27017');
    expect(asked).toEqual([{ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: '127.0.0.1:27017' }] } }]);
  });

  it('leaves a set alone that is where it was', async () => {
    const { admin, asked } = server({ _id: 'rs0', version: 1, members: [{ _id: 0, host: '127.0.0.1:27017' }] });
    await configureReplicaSet(admin, '127.0.0.1:27017');
    expect(asked).toEqual([]);
  });

  it('moves the set to the port of this start', async () => {
    const { admin, asked } = server({
      _id: 'rs0',
      version: 3,
      members: [{ _id: 0, host: '127.0.0.1:27017', votes: 1 }],
    });
    await configureReplicaSet(admin, '127.0.0.1:27018');
    expect(asked).toEqual([
      {
        replSetReconfig: { _id: 'rs0', version: 4, members: [{ _id: 0, host: '127.0.0.1:27018', votes: 1 }] },
        force: true,
      },
    ]);
  });
});
