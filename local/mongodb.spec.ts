import { usableSources, withDatabase } from './mongodb.js';

const SOURCES = [
  { name: 'path', kind: 'mongod' as const },
  { name: 'download', kind: 'mongod' as const },
  { name: 'packages', kind: 'documentdb' as const },
];

describe('usableSources', () => {
  it('offers all of them where there are no data yet', () => {
    expect(usableSources(SOURCES, undefined)).toEqual(SOURCES);
  });

  it('offers only those that can go on with the data there are', () => {
    expect(usableSources(SOURCES, 'documentdb').map(({ name }) => name)).toEqual(['packages']);
    expect(usableSources(SOURCES, 'mongod').map(({ name }) => name)).toEqual(['path', 'download']);
  });
});

describe('withDatabase', () => {
  it('names the database and keeps the options', () => {
    const uri = 'mongodb://127.0.0.1:27017/?replicaSet=rs0&directConnection=true';
    expect(withDatabase(uri, 'scalable_api')).toBe(
      'mongodb://127.0.0.1:27017/scalable_api?replicaSet=rs0&directConnection=true',
    );
  });
});
