import { toJson } from './to-json.js';

async function* list(length: number, of: (index: number) => unknown = (index) => ({ index })) {
  for (let index = 0; index < length; index++) yield Promise.resolve(of(index));
}

async function piecesOf(value: object): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of toJson(value)) pieces.push(piece);
  return pieces;
}

describe('JSON in pieces', () => {
  it('is what JSON.stringify gives', async () => {
    const value = {
      text: 'é"\n',
      none: undefined,
      nothing: null,
      at: new Date(0),
      deep: { list: [1, { a: [] }] },
      empty: {},
    };
    expect(JSON.parse((await piecesOf(value)).join(''))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  it('has lists as they come', async () => {
    const value = { none: list(0), one: list(1), deep: { three: list(3) } };
    expect((await piecesOf(value)).join('')).toBe(
      '{"none":[],"one":[{"index":0}],"deep":{"three":[{"index":0},{"index":1},{"index":2}]}}',
    );
  });

  it('comes in pieces of a bounded size', async () => {
    const pieces = await piecesOf({ long: list(5000, () => 'x'.repeat(100)) });
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(33_000);
  });

  it('ends the list where nobody reads on', async () => {
    let ended = false;
    const endless = (async function* () {
      try {
        for (;;) yield Promise.resolve('x'.repeat(1000));
      } finally {
        ended = true;
      }
    })();
    for await (const piece of toJson({ endless })) if (piece.length > 0) break;
    expect(ended).toBe(true);
  });

  it('fails with its list', async () => {
    const failing = list(3, (index) => (index === 2 ? Promise.reject(new Error('gone')) : index));
    await expect(piecesOf({ failing })).rejects.toThrow('gone');
  });
});
