/**
 * Two ways measured in turn, so that what the machine does meanwhile (another program, a warming processor) meets both.
 * The order changes from round to round, and a first round of each only warms up.
 * @template T
 * @param {number} rounds
 * @param {Record<string, () => Promise<T>>} ways
 * @param {() => Promise<void>} [between] runs untimed before each
 * @returns {Promise<Record<string, T[]>>} results by way, in the order of the rounds
 */
export async function interleave(rounds, ways, between = async () => {}) {
  const names = Object.keys(ways)
  /** @type {Record<string, T[]>} */
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      await between()
      const result = await ways[name]()
      if (round > 0) results[name].push(result)
    }
  }
  return results
}

/** @param {number[]} values */
export const median = (values) => quantile(values, 0.5)

/** @param {number[]} values @param {number} share e.g. 0.99 */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * share
  const below = sorted[Math.floor(position)]
  return below + (sorted[Math.ceil(position)] - below) * (position % 1)
}

/**
 * How one way compares with the other: the medians, their ratio, and how far apart the ratios of single rounds are.
 * @param {number[]} ours @param {number[]} others
 */
export function compare(ours, others) {
  const ratios = ours.map((value, round) => value / others[round])
  return {
    ours: median(ours),
    other: median(others),
    ratio: median(ours) / median(others),
    spread: /** @type {[number, number]} */ ([Math.min(...ratios), Math.max(...ratios)]),
  }
}

const P99 = 0.99

/**
 * A row that compares the slowest requests of two ways.
 * @param {string} what @param {number[][]} ours milliseconds by round @param {string} other @param {number[][]} others
 */
export function compareP99(what, ours, other, others) {
  const p99 = (times) => quantile(times, P99)
  const result = compare(ours.map(p99), others.map(p99))
  const shown = (figure, rounds) => `${figure.toFixed(1)} ms (p50 ${quantile(rounds.flat(), 0.5).toFixed(1)})`
  return {
    what,
    ours: shown(result.ours, ours),
    comparedWith: `${other}, ${shown(result.other, others)}`,
    ratio: result.ratio,
    spread: result.spread,
  }
}
