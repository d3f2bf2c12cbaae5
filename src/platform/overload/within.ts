/**
 * What `promise` gives, or `late` where that takes longer than `ms` milliseconds. A process that was too busy to read an
 * answer in time reads what has arrived before it gives up.
 */
export function within<T, L>(promise: Promise<T>, ms: number, late: L): Promise<T | L> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(late)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
