/** Calendar months, in UTC, as they are charged and written: `2026-11`. */

/** There is no year 0, says the database. */
const MONTH = /^(?!0000)(\d{4})-(0[1-9]|1[0-2])$/

/** The month that an instant is in. */
export const monthOf = (at: Date): string => at.toISOString().slice(0, 7)

/** When a month begins; undefined when the text is not a month. */
export const beginningOf = (month: string): Date | undefined =>
  MONTH.test(month) ? new Date(`${month}-01T00:00:00.000Z`) : undefined
