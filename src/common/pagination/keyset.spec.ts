import { Types } from 'mongoose';
import { type Keyset, keysetAfter, keysetSort } from './keyset.js';

const id = '0123456789abcdef01234567';
const objectId = new Types.ObjectId(id);

describe('keysetSort', () => {
  it('orders ties by id, in the same direction', () => {
    expect(keysetSort({ field: 'dueDate', descending: false, type: 'date' })).toEqual({ dueDate: 1, _id: 1 });
    expect(keysetSort({ field: 'dueDate', descending: true, type: 'date' })).toEqual({ dueDate: -1, _id: -1 });
  });
});

describe('keysetAfter', () => {
  it('is no condition at all on the first page', () => {
    expect(keysetAfter({ field: 'dueDate', descending: false, type: 'date' }, null)).toEqual({});
  });

  it('is a range on the sort key first, and the ties behind it', () => {
    const at = new Date('2031-01-01T00:00:00.000Z');
    const position = { value: at.toISOString(), id };
    expect(keysetAfter({ field: 'dueDate', descending: false, type: 'date' }, position)).toEqual({
      dueDate: { $gte: at },
      $or: [{ dueDate: { $gt: at } }, { _id: { $gt: objectId } }],
    });
    expect(keysetAfter({ field: 'dueDate', descending: true, type: 'date' }, position)).toEqual({
      dueDate: { $lte: at },
      $or: [{ dueDate: { $lt: at } }, { _id: { $lt: objectId } }],
    });
  });

  it.each<[Keyset['type'], string | number]>([
    ['number', 2],
    ['string', 'ada@example.org'],
  ])('compares a %s as what it is', (type, value) => {
    expect(keysetAfter({ field: 'key', descending: false, type }, { value, id })).toMatchObject({
      key: { $gte: value },
    });
  });

  it('is a range on the id alone where that is the sort key', () => {
    expect(keysetAfter({ field: '_id', descending: true, type: 'id' }, { value: id, id })).toEqual({
      _id: { $lt: objectId },
    });
  });
});
