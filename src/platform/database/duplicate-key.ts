/** Whether an error is MongoDB's 11000 (duplicate key). */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 11000;
}
