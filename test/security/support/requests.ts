import type { ApiResponse, Problem } from '../../support/api-client.js';

/** As many requests at once, each with its number. */
export function atOnce<T>(count: number, send: (number: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => send(number)));
}

/** How many answers had each status. */
export function tally(answers: readonly Pick<ApiResponse, 'status'>[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Status and code of an answer, which is what a client goes by. */
export async function outcomeOf(answer: Promise<ApiResponse>): Promise<[number, string | undefined]> {
  const { status, body } = await answer;
  return [status, (body as Problem | undefined)?.code];
}
