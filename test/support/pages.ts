import type { ApiClient, PageOf } from './api-client.js';

/** All rows of a list, page by page. */
export async function allOf<T>(api: ApiClient, path: string): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null = null;
  do {
    const suffix: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await api.get<PageOf<T>>(`${path}?limit=100${suffix}`);
    rows.push(...body.data);
    cursor = body.page.nextCursor;
  } while (cursor !== null);
  return rows;
}
