import { parseFetchResult } from './mongod-binary.js';

describe('parseFetchResult', () => {
  it('finds the program behind everything the library said', () => {
    expect(parseFetchResult('Downloading MongoDB "8.2.6": 100%\nmongod /cache/mongod-x64')).toEqual({
      path: '/cache/mongod-x64',
    });
  });

  it('finds the reason of a refusal', () => {
    expect(parseFetchResult('refused host answers 403')).toEqual({ reason: 'host answers 403' });
  });

  it('takes silence for a refusal', () => {
    expect(parseFetchResult('')).toEqual({ reason: 'it ended without a result' });
  });
});
