/**
 * Keeps every lane busy for a while, each with one item of work after the other.
 * @template Lane
 * @param {Lane[]} lanes e.g. connections; their number is the concurrency
 * @param {number} seconds
 * @param {(lane: Lane) => Promise<unknown>} work
 * @returns {Promise<number>} items done a second
 */
export async function throughput(lanes, seconds, work) {
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  let done = 0
  await Promise.all(
    lanes.map(async (lane) => {
      while (performance.now() < endsAt) {
        await work(lane)
        done++
      }
    }),
  )
  return (done / (performance.now() - startedAt)) * 1000
}

/**
 * Does a number of items over the lanes and times each.
 * @template Lane
 * @param {Lane[]} lanes
 * @param {number} count
 * @param {(lane: Lane) => Promise<unknown>} work
 * @returns {Promise<number[]>} milliseconds
 */
export async function latencies(lanes, count, work) {
  const times = []
  let left = count
  await Promise.all(
    lanes.map(async (lane) => {
      while (left-- > 0) {
        const startedAt = performance.now()
        await work(lane)
        times.push(performance.now() - startedAt)
      }
    }),
  )
  return times
}
