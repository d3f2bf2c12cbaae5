import { MongoClient } from 'mongodb';
import postgres from 'postgres';
import { postgresUrl, startGateway } from './support/gateway-process.js';

describe('the gateway as a process', () => {
  it('listens on loopback, says where, and ends with 0 when asked to', async () => {
    const gateway = await startGateway();
    const client = await new MongoClient(gateway.uri).connect();
    expect(await client.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect(await gateway.stop()).toBe(0);
    await client.close();
  });

  it('rolls back what is open when it ends', async () => {
    const gateway = await startGateway();
    const client = await new MongoClient(gateway.uri).connect();
    const collection = client.db('gateway_test_process').collection('rolled-back');
    await collection.insertOne({ a: 1 });
    const session = client.startSession();
    session.startTransaction();
    await collection.insertOne({ a: 2 }, { session });
    await gateway.stop();
    await client.close(true);

    const again = await startGateway();
    const other = await new MongoClient(again.uri).connect();
    const db = other.db('gateway_test_process');
    expect(
      await db
        .collection('rolled-back')
        .find({}, { projection: { _id: 0 } })
        .toArray(),
    ).toEqual([{ a: 1 }]);
    await db.dropDatabase();
    await other.close();
    await again.stop();
  });

  it('says why it does not start', async () => {
    await expect(startGateway('mysql://127.0.0.1/x')).rejects.toThrow(/usage: .*--postgres/);
  });

  it('answers what is running before it ends', async () => {
    const gateway = await startGateway();
    const client = await new MongoClient(gateway.uri).connect();
    const collection = client.db('gateway_test_drain').collection<{ _id: number; n: number }>('writes');
    await collection.insertOne({ _id: 1, n: 0 });
    const sql = postgres(postgresUrl(), { max: 2, onnotice: () => undefined });
    const [table] = await sql<{ id: string }[]>`select collection_id as id from documentdb_api_catalog.collections
      where database_name = 'gateway_test_drain' and collection_name = 'writes'`;

    const [write, exitCode] = await sql
      .begin(async (locker) => {
        await locker.unsafe(`lock table documentdb_data.documents_${table!.id} in exclusive mode`);
        const running = collection.updateOne({ _id: 1 }, { $inc: { n: 1 } });
        while ((await sql`select 1 from pg_locks where not granted and mode = 'RowExclusiveLock'`).length === 0);
        return { running, stopped: gateway.stop() };
      })
      .then(({ running, stopped }) => Promise.all([running, stopped]));

    expect(write.modifiedCount).toBe(1);
    expect(exitCode).toBe(0);
    await client.close(true);
    await sql`select documentdb_api.drop_database('gateway_test_drain')`;
    await sql.end();
  });
});
