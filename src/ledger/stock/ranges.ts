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

/** The numbers of a range, one by one. Throws a SetupError when it runs out of the digits that its first number has. */
export function* numbersOf({ from, count, place }: NumberRange): Generator<StockNumber> {
  const digits = from.slice(1)
  const first = Number(digits)
  const last = String(first + count - 1)
  if (!isE164(from) || last.length !== digits.length || last.length > MAX_E164_DIGITS) {
    throw new SetupError(`There are no ${count} numbers from ${from} on with as many digits.`)
  }
  for (let offset = 0; offset < count; offset++) yield { e164: `+${first + offset}`, place }
}
