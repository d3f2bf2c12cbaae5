/** What the contestants without a database return: a page of 20 tasks, always the same. */
export const PAGE = {
  data: Array.from({ length: 20 }, (_, index) => ({
    id: String(index).padStart(24, '0'),
    title: `Task number ${index}`,
    description: 'What is to be done, in a sentence or two, as people write them.',
    status: 'todo',
    priority: 'medium',
    tags: ['bench'],
    dueDate: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  })),
  pageInfo: { nextCursor: null },
};

/** Tells the benchmark where a contestant listens. */
export function announce(port) {
  console.log(`{"msg":"listening on http://127.0.0.1:${port}"}`);
}
