/** Points in time as they come over the wire: RFC 3339, and the three forms of HTTP dates (RFC 9110, 5.6.7). */

/** An RFC 3339 date-time, cut to milliseconds; undefined if it is none. A leap second is the second after it. */
export function parseRfc3339(text: string): Date | undefined {
  const match = RFC_3339.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour = '00', offsetMinute = '00'] = match
  const date = utc([year, Number(month) - 1, day, hour, minute, second], Number(fraction.padEnd(3, '0').slice(0, 3)))
  if (!date || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000
  return new Date(date.getTime() - (sign === '-' ? -offsetMs : offsetMs))
}
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,20}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** An HTTP date in any of its three forms; undefined if it is none. The day of the week is not compared. */
export function parseHttpDate(text: string): Date | undefined {
  const fields = (IMF_FIXDATE.exec(text) ?? RFC_850.exec(text) ?? ASCTIME.exec(text))?.groups
  if (!fields) return undefined
  const year = Number(fields['year'])
  const wholeYear = fields['year']?.length === 2 ? year + (year < FIRST_SHORT_YEAR ? 2000 : 1900) : year
  return utc([
    wholeYear,
    MONTHS.indexOf(fields['month'] as string),
    fields['day'],
    fields['hour'],
    fields['minute'],
    fields['second'],
  ])
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(?<month>${MONTHS.join('|')})`
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`
const IMF_FIXDATE = new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`)
const RFC_850 = new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT$`)
const ASCTIME = new RegExp(String.raw`^[A-Z][a-z]{2} ${MONTH} (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`)
/** Years of two digits from here on are of the last century. */
const FIRST_SHORT_YEAR = 70

/** Year, month from zero, day, hour, minute, second. Undefined for a date that no calendar has. */
function utc(fields: readonly (string | number | undefined)[], ms = 0): Date | undefined {
  const [year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN] = fields.map(Number)
  const date = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for those of the twentieth century.
  date.setUTCFullYear(year, month, day)
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined
  if (hour > 23 || minute > 59 || second > 60) return undefined
  date.setUTCHours(hour, minute, second, ms)
  return date
}
