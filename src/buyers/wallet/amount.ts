/**
 * Amounts of money as whole ten-thousandths of a currency's unit: what the database keeps, and never a binary fraction.
 */

const SCALE = 10_000n
const DIGITS = 4
const AMOUNT = /^(-)?(\d{1,14})(?:\.(\d{1,4}))?$/

/** Reads a decimal text such as `2`, `-0.5` or `12.3456`; undefined for anything else. */
export function parseAmount(text: string): bigint | undefined {
  const match = AMOUNT.exec(text)
  if (!match) return undefined
  const [, sign, whole = '0', fraction = ''] = match
  const value = BigInt(whole) * SCALE + BigInt(fraction.padEnd(DIGITS, '0'))
  return sign === undefined ? value : -value
}

/** Like `parseAmount`, for a text from the database or a checked file. Throws when it is not an amount. */
export function amountOf(text: string): bigint {
  const value = parseAmount(text)
  if (value === undefined) throw new Error(`"${text}" is not an amount of money`)
  return value
}

/** As people write it, with two digits after the point, or up to four where needed: `2.00`, `0.0050`. */
export function formatAmount(value: bigint): string {
  const size = value < 0n ? -value : value
  const fraction = (size % SCALE).toString().padStart(DIGITS, '0')
  return `${value < 0n ? '-' : ''}${size / SCALE}.${fraction.endsWith('00') ? fraction.slice(0, 2) : fraction}`
}
