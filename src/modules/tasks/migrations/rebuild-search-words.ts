import type { mongo } from 'mongoose';
import { changeDocuments } from '../../../platform/migrations/document-batches.js';
import type { Migration } from '../../../platform/migrations/migration.js';
import { searchedTextOf } from '../task-fields.js';
import type { SearchedText } from '../schemas/task.schema.js';

interface StoredTask {
  _id: mongo.ObjectId;
  title: string;
  tags: string[];
  description: string;
  search?: SearchedText;
}

/** Goes through all tasks, and writes those whose words are others than this release would store. */
const runBatch = changeDocuments<StoredTask>({
  collection: 'tasks',
  filter: {},
  fields: ['title', 'tags', 'description', 'search.title', 'search.tags', 'search.description'],
  change: (task) => {
    const search = searchedTextOf({ title: task.title, tags: task.tags, description: task.description ?? '' });
    const { title, tags, description } = task.search ?? {};
    const isCurrent = search.title === title && search.tags === tags && search.description === description;
    return isCurrent ? null : { $set: { search } };
  },
});

/** Deleted tasks have no words: they get them when they are restored. The contract step is for what the previous release writes. */
export const REBUILD_SEARCH_WORDS: Migration[] = [
  { id: '0003-search-words-are-rebuilt', phase: 'expand', runBatch },
  { id: '0004-all-search-words-are-rebuilt', phase: 'contract', runBatch },
];
