/** Splits the work of a run. */

export const inBatches = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))

/** Works on `concurrency` items at a time. Rejects with the first error once all work that was begun has ended. */
export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let item; (item = queue.shift()) !== undefined;) await work(item)
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(concurrency, items.length) }, worker))
  const failed = ended.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}
