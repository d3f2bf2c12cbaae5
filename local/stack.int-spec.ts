import { MongoClient } from 'mongodb';
it('ping', async () => {
  const client = new MongoClient(process.env['TEST_MONGODB_URI']!);
  await client.db('x').collection('c').insertOne({ a: 1 });
  expect(await client.db('x').collection('c').countDocuments()).toBe(1);
  await client.close();
});
