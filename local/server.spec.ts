import { foreignServer, type Source, startFirst } from './server.js';

const refusing = (name: string, reason: string): Source => ({
  name,
  start: () => Promise.reject(new Error(reason)),
});

describe('startFirst', () => {
  it('says in one line each what it tried, and goes on to the next source', async () => {
    const lines: string[] = [];
    const sources = [
      refusing('the PATH', 'there is no mongod'),
      refusing('a download', 'refused\n    at stack (trace.js:1)'),
      { name: 'packages', start: async () => foreignServer('mongodb://127.0.0.1:1', 'out of packages') },
    ];
    const server = await startFirst('MongoDB', sources, (line) => lines.push(line), '');
    expect(server.url).toBe('mongodb://127.0.0.1:1');
    expect(lines).toEqual([
      'MongoDB: not from the PATH: there is no mongod',
      'MongoDB: not from a download: refused',
      'MongoDB: out of packages',
    ]);
  });

  it('ends with what to do when no source has it', async () => {
    const attempt = startFirst('Redis', [refusing('the PATH', 'none')], () => undefined, 'install redis-server.');
    await expect(attempt).rejects.toThrow("Redis can't be had from anywhere: install redis-server.");
  });
});
