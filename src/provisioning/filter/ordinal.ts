/**
 * Compares texts by code point, as PostgreSQL does under collate "C" on UTF-8. JavaScript's own comparison goes by
 * UTF-16 units, in which everything beyond U+FFFF comes before U+E000.
 */
export function compareOrdinal(left: string, right: string): number {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index++) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** The place of a UTF-16 unit when surrogates, the halves of what is beyond U+FFFF, come last. */
const rank = (unit: number): number => {
  if (unit < FIRST_SURROGATE) return unit
  return unit > LAST_SURROGATE ? unit - SURROGATES : unit + AFTER_SURROGATES
}
const FIRST_SURROGATE = 0xd800
const LAST_SURROGATE = 0xdfff
const SURROGATES = LAST_SURROGATE - FIRST_SURROGATE + 1
const AFTER_SURROGATES = 0xffff - LAST_SURROGATE
