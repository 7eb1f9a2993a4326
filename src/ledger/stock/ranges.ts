import { SetupError } from '../../errors.js'
import { isE164 } from '../number.js'
import type { Place, StockNumber } from './enter.js'

/** Consecutive numbers of one place. */
export interface NumberRange {
  from: string
  count: number
  place: Place
}

const MAX_E164_DIGITS = 15

/** The numbers of a range, one by one. Throws as `lastOf` does. */
export function* numbersOf({ from, count, place }: NumberRange): Generator<StockNumber> {
  lastOf(from, count)
  const first = Number(from.slice(1))
  for (let offset = 0; offset < count; offset++) yield { e164: `+${first + offset}`, place }
}

/** The last of `count` numbers from `from` on. Throws a SetupError when it has more digits or `from` isn't a number. */
export function lastOf(from: string, count: number): string {
  const last = `+${Number(from.slice(1)) + count - 1}`
  if (!isE164(from) || last.length !== from.length || last.length > 1 + MAX_E164_DIGITS) {
    throw new SetupError(`There are no ${count} numbers from ${from} on with as many digits.`)
  }
  return last
}
