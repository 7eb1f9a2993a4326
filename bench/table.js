/**
 * A line of the result.
 * @typedef {object} Row
 * @property {string} what
 * @property {string} ours with its unit
 * @property {string} comparedWith what it is compared with, its figure and its unit; empty when with nothing
 * @property {number} [ratio] ours over the other
 * @property {[number, number]} [spread] the least and the greatest ratio of the rounds
 * @property {string} [aim] as written in the claim; left out when the row only reports
 * @property {boolean} [met]
 */

const HEADINGS = ['what', 'ours', 'compared with', 'ratio', 'rounds', 'aim', 'met']

/** @param {Row[]} rows */
export function table(rows) {
  const lines = [
    HEADINGS,
    ...rows.map(({ what, ours, comparedWith, ratio, spread, aim, met }) => [
      what,
      ours,
      comparedWith,
      ratio === undefined ? '' : ratio.toFixed(2),
      spread === undefined ? '' : spread.map((value) => value.toFixed(2)).join('–'),
      aim ?? 'report',
      met === undefined ? '' : met ? 'yes' : 'NO',
    ]),
  ]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  const drawn = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join(' | ')
      .trimEnd(),
  )
  return [drawn[0], widths.map((width) => '-'.repeat(width)).join('-|-'), ...drawn.slice(1)].join('\n')
}
