import { Types } from 'mongoose';
import { ListTasksQueryDto } from './dto/task-requests.dto.js';
import { NO_DUE_DATE } from './schemas/task.schema.js';
import { filterOf, searchedWords } from './task-filter.js';
import { tagKeysOf } from './task-tags.js';

const user = new Types.ObjectId();
const dueAfter = '2035-01-01T00:00:00.000Z';
const dueBefore = '2035-02-01T00:00:00.000Z';

const filterFor = (query: Partial<ListTasksQueryDto>) =>
  filterOf(String(user), Object.assign(new ListTasksQueryDto(), query));

describe('the filter of a task list', () => {
  it.each<[Partial<ListTasksQueryDto>, object]>([
    [{}, {}],
    [{ status: ['todo', 'done'] }, { status: { $in: ['todo', 'done'] } }],
    [{ priority: ['low', 'urgent'] }, { priority: { $in: [0, 3] } }],
    [{ dueAfter }, { dueDate: { $gte: new Date(dueAfter), $lt: NO_DUE_DATE } }],
    [{ dueBefore }, { dueDate: { $lt: new Date(dueBefore) } }],
    [{ dueAfter, dueBefore }, { dueDate: { $gte: new Date(dueAfter), $lt: new Date(dueBefore) } }],
    [{ createdAfter: dueAfter }, { createdAt: { $gte: new Date(dueAfter) } }],
    [{ q: 'Zoë  zoe, Café' }, { $text: { $search: 'zoe cafe' } }],
    [
      { status: ['todo'], createdAfter: dueAfter },
      { status: { $in: ['todo'] }, createdAt: { $gte: new Date(dueAfter) } },
    ],
    [{ limit: 5, cursor: 'any', sort: '-priority' }, {}],
  ])('%j: the tasks of this user that match', (query, expected) => {
    expect(filterFor(query)).toEqual({ user, ...expected });
  });

  it('finds any of the tags, by their keys and in either spelling', () => {
    const { tags, tagKeys } = filterFor({ tag: ['März', 'work'] });
    expect(tags).toEqual({ $in: ['März', 'März'.normalize('NFD'), 'work'] });
    for (const tag of ['März', 'März'.normalize('NFD'), 'work'])
      expect(tagKeysOf(['other', tag])).toMatch(tagKeys as RegExp);
    expect(tagKeysOf(['other'])).not.toMatch(tagKeys as RegExp);
  });
});

describe('the words of a search', () => {
  it.each([
    [undefined, null],
    ['', ''],
    ['"-!', ''],
    ['-report "final"', 'report final'],
  ])('of %j are %j', (q, words) => {
    expect(searchedWords({ q } as ListTasksQueryDto)).toBe(words);
  });
});
