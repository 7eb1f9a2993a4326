/** How times and texts are written for people. */

const MINUTE_S = 60
const HOUR_S = 60 * MINUTE_S
const DAY_S = 24 * HOUR_S

/** A length of time, in the two largest units that matter: "42 s", "5 min", "3 h 20 min", "4 days". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 2 * MINUTE_S) return `${seconds} s`
  const minutes = Math.floor(seconds / MINUTE_S)
  if (seconds < 2 * HOUR_S) return `${minutes} min`
  if (seconds >= 2 * DAY_S) return `${Math.floor(seconds / DAY_S)} days`
  const rest = minutes % 60
  return `${Math.floor(seconds / HOUR_S)} h${rest === 0 ? '' : ` ${rest} min`}`
}

/** "5 min ago", "in 42 s", "now". */
export function relative(at: string, now: string): string {
  const ms = Date.parse(at) - Date.parse(now)
  if (Math.abs(ms) < 1_000) return 'now'
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`
}

/** "2026-03-01 12:00:00 UTC". */
export const instant = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`

/** "2026-03-01 12:00:00 UTC (5 min ago)". */
export const instantWithAge = (at: string, now: string): string => `${instant(at)} (${relative(at, now)})`

const MAX_TEXT_CHARS = 500

/** What others wrote, on one line: as it is, it might do things to a terminal. */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return line.length <= MAX_TEXT_CHARS ? line : `${line.slice(0, MAX_TEXT_CHARS)} …`
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
