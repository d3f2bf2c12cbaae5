import { Types } from 'mongoose';
import { SecretBox } from '../crypto/secret-box.js';
import { ValidationFailedError } from '../errors/problem.js';
import { Cursors, type Position } from './cursor.js';
import { readPage } from './paginate.js';

interface Row {
  _id: Types.ObjectId;
  at: Date;
}

const cursors = new Cursors(new SecretBox({ APP_SECRETS: ['a secret'] }));
const DAY_MS = 86_400_000;
/** Seven rows, the newest first; the middle three are of the same time. */
const rows: Row[] = [6, 5, 3, 3, 3, 2, 1].map((day) => ({ _id: new Types.ObjectId(), at: new Date(day * DAY_MS) }));
const ids = rows.map(({ _id }) => String(_id));

/** One page of the rows, with the position and the number of rows that it asked for. */
async function read(cursor: string | null, limit = 3, list = 'rows') {
  const asked: [Position | null, number][] = [];
  const page = await readPage<Row, string>(
    {
      cursors,
      list,
      keyset: { field: 'at', descending: true, type: 'date' },
      query: { limit, ...(cursor !== null && { cursor }) },
      map: ({ _id }) => String(_id),
    },
    async (position, count) => {
      asked.push([position, count]);
      const start = position === null ? 0 : ids.indexOf(position.id) + 1;
      return rows.slice(start, start + count);
    },
  );
  return { ...page, asked };
}

describe('a page', () => {
  it('leads on to the next one, until there are no more rows', async () => {
    const first = await read(null);
    const second = await read(first.page.nextCursor);
    const third = await read(second.page.nextCursor);
    expect([first.data, second.data, third.data]).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    expect([first, second, third].map(({ page }) => page.hasMore)).toEqual([true, true, false]);
    expect(third.page.nextCursor).toBeNull();
  });

  it('asks for one row more than it shows, behind the last one of the page before', async () => {
    const { page, asked } = await read(null);
    expect(asked).toEqual([[null, 4]]);
    const next = await read(page.nextCursor);
    expect(next.asked).toEqual([[{ value: new Date(3 * DAY_MS).toISOString(), id: ids[2] }, 4]]);
  });

  it('notes in its cursor that all its rows have the same sort key', async () => {
    const { page } = await read((await read(null, 2)).page.nextCursor, 2);
    expect(cursors.decode('rows', page.nextCursor as string)).toEqual({
      value: new Date(3 * DAY_MS).toISOString(),
      id: ids[3],
      tied: true,
    });
  });

  it('refuses the cursor of another list before it reads', async () => {
    const { page } = await read(null);
    await expect(read(page.nextCursor, 3, 'other rows')).rejects.toThrow(ValidationFailedError);
  });
});
