import { mergeReplies, positionsToRepeat } from './batch-repeat.js';

const lost = (index: number) => ({ index, code: 1, errmsg: 'lost' });
const failed = (index: number) => ({ index, code: 2, errmsg: 'failed' });
const isLost = ({ code }: { code: number }): boolean => code === 1;

describe('repeating a batch', () => {
  it('repeats only the losers of an unordered batch', () => {
    const reply = { n: 2, writeErrors: [lost(1), failed(2), lost(3)] };
    expect(positionsToRepeat(reply, 5, false, isLost)).toEqual([1, 3]);
  });

  it('goes on from the loser of an ordered batch', () => {
    expect(positionsToRepeat({ n: 1, writeErrors: [lost(1)] }, 4, true, isLost)).toEqual([1, 2, 3]);
  });

  it('does not go on behind a real failure', () => {
    expect(positionsToRepeat({ n: 1, writeErrors: [failed(1)] }, 4, true, isLost)).toEqual([]);
  });

  it('adds up counts and puts entries at their old places', () => {
    const batch = { n: 2, nModified: 1, upserted: [{ index: 0, _id: 'a' }], writeErrors: [lost(1), failed(3)], ok: 1 };
    const again = { n: 1, nModified: 0, upserted: [{ index: 0, _id: 'b' }], ok: 1 };
    expect(mergeReplies(batch, again, 1)).toEqual({
      n: 3,
      nModified: 1,
      upserted: [
        { index: 0, _id: 'a' },
        { index: 1, _id: 'b' },
      ],
      writeErrors: [failed(3)],
      ok: 1,
    });
  });

  it('has no list of errors when none are left', () => {
    expect(mergeReplies({ n: 0, writeErrors: [lost(0)] }, { n: 1 }, 0)).toEqual({ n: 1 });
  });
});
