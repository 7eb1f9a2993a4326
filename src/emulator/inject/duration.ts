/** Lengths of time as ISO 8601 writes them. */

const DURATION =
  /^P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:[.,](\d{1,9}))?S)?)?$/i

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/**
 * The instant so long after `from`; undefined when `text` is no duration. Years and months are those of the calendar
 * in UTC, and end with the month where it is too short: a month after 31 January is the end of February.
 */
export function addDuration(from: Date, text: string): Date | undefined {
  const match = DURATION.exec(text)
  if (!match) return undefined
  const part = (index: number) => Number(match[index] ?? 0)
  const moved = addMonths(from, part(1) * 12 + part(2))
  const days = part(3) * 7 + part(4)
  const fractionMs = Math.floor(Number(`0.${match[8] ?? '0'}`) * SECOND_MS)
  return new Date(
    moved.getTime() + days * DAY_MS + part(5) * HOUR_MS + part(6) * MINUTE_MS + part(7) * SECOND_MS + fractionMs,
  )
}

/** A duration without years and months in milliseconds; undefined for any other text. */
export function durationMs(text: string): number | undefined {
  if (/^P[^T]*[YM]/i.test(text)) return undefined
  return addDuration(new Date(0), text)?.getTime()
}

function addMonths(from: Date, months: number): Date {
  if (months === 0) return from
  const moved = new Date(from)
  const day = moved.getUTCDate()
  moved.setUTCDate(1)
  moved.setUTCMonth(moved.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
  moved.setUTCDate(Math.min(day, lastDay))
  return moved
}
