import type { PageOf, Problem } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';

let service: TestService;
let user: TestUser;
beforeAll(async () => {
  service = await startService();
  user = await registerUser(service);
  const stranger = await registerUser(service);
  await createTask(stranger.api, { title: 'apple banana cherry' });
  for (const task of [
    { title: 'Apple pie', description: 'With banana, and cinnamon.', tags: ['kitchen'] },
    { title: 'Banana bread', description: 'No fruit beside it.', tags: ['apple'], status: 'done' },
    { title: 'Shopping', description: 'One apple. Two lemons.', tags: ['town trip'], priority: 'high' },
    { title: 'Café Müller', description: 'ÉCLAIRS — 3.5 € each', tags: ['snake_case'] },
    { title: '東京都に住む', description: '', tags: [] },
    { title: 'iPhone15を買う', description: '第37回', tags: [] },
    { title: 'ซื้อนม2ลิตร', description: '', tags: [] },
    { title: 'Straße nach Łódź', description: 'Ørsted', tags: ['ılık'] },
    { title: 'שָׁלוֹם', description: 'كِتَابٌ', tags: [] },
    { title: 'Zei\u00adtung', description: 'zero\u200bwidth', tags: ['❤️'] },
    { title: 'Long', description: `${'y'.repeat(5000)} ${'z'.repeat(4900)}`, tags: [] },
  ]) {
    await createTask(user.api, task);
  }
});

async function titles(q: string, rest = ''): Promise<string[]> {
  const { status, body } = await user.api.get<PageOf<TaskBody>>(`${TASKS}?q=${encodeURIComponent(q)}${rest}`);
  expect(status).toBe(200);
  return body.data.map(({ title }) => title);
}

describe('searching tasks', () => {
  it.each([
    ['a word of a title', 'shopping', ['Shopping']],
    ['a word of a description', 'cinnamon', ['Apple pie']],
    ['a word of a tag', 'town', ['Shopping']],
    ['a word in either', 'apple', ['Apple pie', 'Banana bread', 'Shopping']],
    ['any of several words', 'lemons bread', ['Banana bread', 'Shopping']],
    ['a common word', 'it', ['Banana bread']],
    ['another case', 'SHOPPING', ['Shopping']],
    ['another case beyond ASCII', 'CAFÉ éclairs', ['Café Müller']],
    ['no accents', 'cafe muller', ['Café Müller']],
    ['accents where there are none', 'ápplé', ['Apple pie', 'Banana bread', 'Shopping']],
    ['a part of what a tag joins', 'snake', ['Café Müller']],
    ['a word of a script without spaces', '東京', ['東京都に住む']],
    ['one character of such a script', '京', ['東京都に住む']],
    ['one character of another', 'น', ['ซื้อนม2ลิตร']],
    ['a Latin word beside such a script', 'iphone15', ['iPhone15を買う']],
    ['a number beside such a script', '37', ['iPhone15を買う']],
    ['ß by ss', 'STRASSE', ['Straße nach Łódź']],
    ['ß by ß', 'straße', ['Straße nach Łódź']],
    ['ł by l', 'lodz', ['Straße nach Łódź']],
    ['ø by o', 'orsted', ['Straße nach Łódź']],
    ['ı by i', 'ILIK', ['Straße nach Łódź']],
    ['a Hebrew word without its points', 'שלום', ['שָׁלוֹם']],
    ['an Arabic word without its vowels', 'كتاب', ['שָׁלוֹם']],
    ['a word with a soft hyphen', 'zeitung', ['Zei\u00adtung']],
    ['a word by a soft hyphen', 'ein\u00adkauf shop\u00adping', ['Shopping']],
    ['a word with a zero-width character', 'zerowidth', ['Zei\u00adtung']],
    ['a part between soft hyphens, as the previous release does', 'tung', ['Zei\u00adtung']],
    ['an emoji with a variation selector, which is no word', '☀\ufe0f', []],
    ['a very long word', 'y'.repeat(200), ['Long']],
    ['a part of a word, which is no word', 'shop', []],
    ['a word that is nowhere', 'zucchini', []],
  ])('finds %s', async (_, q, expected) => {
    expect((await titles(q)).sort()).toEqual(expected);
  });

  it.each([
    ['a minus before a word', '-banana pie', ['Apple pie', 'Banana bread']],
    ['a minus alone before a word', '-banana', ['Apple pie', 'Banana bread']],
    ['a phrase', '"banana pie"', ['Apple pie', 'Banana bread']],
    ['an open quotation mark', '"shopping', ['Shopping']],
    ['operators of other engines', 'shopping & !apple | bread:*', ['Apple pie', 'Banana bread', 'Shopping']],
    ['a null character', 'shop\u0000ping shopping', ['Shopping']],
    ['a backslash', '\\shopping\\', ['Shopping']],
    ['a regular expression', '.*', []],
    ['punctuation alone', '... -- "" !', []],
    ['spaces alone', '   ', []],
    ['a null character alone', '\u0000', []],
  ])('takes %s for the words in it', async (_, q, expected) => {
    expect((await titles(q)).sort()).toEqual(expected);
    expect((await titles(q, '&sort=-relevance')).sort()).toEqual(expected);
  });

  it('puts the title before a tag, and a tag before the description', async () => {
    expect(await titles('apple', '&sort=-relevance')).toEqual(['Apple pie', 'Banana bread', 'Shopping']);
  });

  it('puts what has more of the words first', async () => {
    expect((await titles('banana bread cinnamon', '&sort=-relevance'))[0]).toBe('Banana bread');
  });

  it.each(['', '&sort=-relevance', '&sort=priority'])(
    'narrows down what the other filters let through (%s)',
    async (sort) => {
      expect(await titles('apple', `&status=done${sort}`)).toEqual(['Banana bread']);
      expect(await titles('apple', `&priority=high,urgent${sort}`)).toEqual(['Shopping']);
      expect(await titles('apple', `&tag=kitchen,nowhere${sort}`)).toEqual(['Apple pie']);
    },
  );

  it('follows a change at once', async () => {
    const { id } = await createTask(user.api, { title: 'Quince' });
    await user.api.patch(`${TASKS}/${id}`, { title: 'Medlar', tags: ['rare'] });
    expect(await titles('quince')).toEqual([]);
    expect(await titles('medlar')).toEqual(['Medlar']);
    expect(await titles('rare')).toEqual(['Medlar']);
    await user.api.delete(`${TASKS}/${id}`);
    expect(await titles('medlar')).toEqual([]);
    await user.api.post(`${TASKS}/${id}/restore`);
    expect(await titles('medlar')).toEqual(['Medlar']);
  });

  it.each([
    ['sort=-relevance', 'sort'],
    ['q=a&sort=relevance', 'sort'],
    ['q=', 'q'],
    [`q=${'x'.repeat(201)}`, 'q'],
    ['q=a&q=b', 'q'],
    ['q[$search]=a', 'q[$search]'],
  ])('refuses ?%s, naming %s', async (query, field) => {
    const { status, body } = await user.api.get<Problem>(`${TASKS}?${query}`);
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors?.map((error) => error.field)).toEqual([field]);
  });
});

describe('pages by relevance', () => {
  it('have every match once, also where many are equally relevant, and belong to their words', async () => {
    const owner = await registerUser(service);
    const operations = Array.from({ length: 60 }, (_, index) => ({
      op: 'create',
      task: { title: index % 3 ? 'plum' : 'plum pear', description: 'plum '.repeat(index % 7), tags: ['fruit'] },
    }));
    await owner.api.post(`${TASKS}/bulk`, { operations });
    const seen: string[] = [];
    let cursor = '';
    do {
      const path = `${TASKS}?q=plum%20pear&sort=-relevance&limit=7${cursor}`;
      const { body } = await owner.api.get<PageOf<TaskBody>>(path);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(body.page.nextCursor)}`;
      if (cursor) {
        const other = await owner.api.get(`${TASKS}?q=plum&sort=-relevance&limit=7${cursor}`);
        expect(other.status).toBe(400);
      }
    } while (cursor);
    expect(seen).toHaveLength(60);
    expect(new Set(seen).size).toBe(60);
  });
});
