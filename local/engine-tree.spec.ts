import { choosePackage } from './engine-tree.js';

const NAMES = [
  'postgresql-common',
  'postgresql-9-documentdb',
  'postgresql-18-documentdb',
  'postgresql-17-documentdb',
  'postgresql-18-rum',
];

describe('choosePackage', () => {
  it('takes the newest PostgreSQL that has the extension', () => {
    expect(choosePackage(NAMES)).toBe('postgresql-18-documentdb');
  });

  it('takes the one that can read existing data', () => {
    expect(choosePackage(NAMES, 17)).toBe('postgresql-17-documentdb');
  });

  it('finds none where the archive has dropped it', () => {
    expect(choosePackage(NAMES, 16)).toBeUndefined();
  });
});
