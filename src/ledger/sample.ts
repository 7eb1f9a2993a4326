/**
 * A random sample of the numbers for sale, for buyers who browse before they hold. It only reads and holds nothing, so
 * a number it shows may be gone a moment later. See docs/adr/0008-browse-in-rings.md.
 */
import { randomInt } from 'node:crypto'
import { join, raw, sql, type Queryable, type Sql } from '../db/db.js'
import { isOfKind, type Kind, randomShuffle } from './places.js'

/** The stock that a sample is taken from. */
export interface SampledStock extends Kind {
  /** A number has to begin with one of these digits (country calling code first); empty: any number will do. */
  prefixes: readonly string[]
}

/**
 * Up to `size` numbers that count as available, in random order, spread over the places: one from each, and more from
 * each only when there are too few places. Fewer than `size` means that there are no more.
 *
 * The ring of places is entered at a random point and followed until enough places are known to have numbers, or once
 * round. An empty place costs one probe of each index; how many numbers the others have makes no difference. With
 * prefixes, all of this applies to pairs of a place and a prefix, and the pairs whose area code matches the prefix are
 * tried alone first: usually no other pair has such numbers, and there may be thousands of others.
 */
export async function sampleAvailable(db: Queryable, stock: SampledStock, size: number, now: Date): Promise<string[]> {
  const prefixes = distinctPrefixes(stock.prefixes)
  if (prefixes.length === 0) return takeSample(db, anyNumber(ringOf(isOfKind(stock)), size, now), size)
  const likely = sql`${isOfKind(stock)} and ${hasAreaCodeOf(prefixes)}`
  const found = await takeSample(db, byPrefix(ringOf(likely), prefixes, size, now), size)
  return found.length === size ? found : takeSample(db, byPrefix(ringOf(isOfKind(stock)), prefixes, size, now), size)
}

async function takeSample(db: Queryable, { cells, something, drawn }: Finding, size: number): Promise<string[]> {
  const rows = await db.query<{ e164: string }>(sql`
    with cell as materialized (
      select c.* from (${cells}) as c cross join lateral (${something}) as something limit ${literal(size)}
    )
    select e164 from cell as c
    cross join lateral (
      select e164, row_number() over (order by random()) as nth from (${drawn}) as drawn
    ) as n
    order by nth, random() limit ${literal(size)}`)
  return rows.map(({ e164 }) => e164)
}

/**
 * These statements take longer to plan than to run, and PostgreSQL keeps the generic plan of a statement only where its
 * estimated cost is no higher than that of plans for the actual values. So no cost estimate here depends on a value: a
 * value that never changes is a literal, and the others are hidden in subqueries.
 */
const literal = (count: number): Sql => raw(String(count))
const hidden = (value: number | string | Date | string[], type: Sql): Sql => sql`(select ${value}::${type})`

/** The places that match a condition, starting at a random point of their ring. */
function ringOf(places: Sql): Sql {
  const entry = hidden(randomShuffle(), sql`integer`)
  return sql`(
    (select id as place_id from place where ${places} and shuffle >= ${entry} order by shuffle)
    union all
    (select id as place_id from place where ${places} and shuffle < ${entry} order by shuffle)
  )`
}

/** How a sample finds its numbers, in the SQL of its statement. */
interface Finding {
  /** The places, or pairs of place and prefix, that it goes round; the statement calls one of them `c`. */
  cells: Sql
  /** A row if `c` has a free number. */
  something: Sql
  /** Free numbers of `c` to draw from; `cell` has the cells with a free number. */
  drawn: Sql
}

/** From the ring of a place's free numbers, entered at random. Neighbours on that ring are not consecutive numbers. */
function anyNumber(ring: Sql, size: number, now: Date): Finding {
  const entry = hidden(randomShuffle(), sql`integer`)
  const free = (limit: Sql): Sql => sql`
    select * from (
      select e164 from number
      where place_id = c.place_id and state = 'available' and shuffle >= ${entry}
      order by shuffle limit ${literal(size)}
    ) as onwards
    union all
    select * from (
      select e164 from number
      where place_id = c.place_id and state = 'available' and shuffle < ${entry}
      order by shuffle limit ${literal(size)}
    ) as wrapped
    union all
    select * from (
      select e164 from number where place_id = c.place_id and free_at <= ${hidden(now, sql`timestamptz`)} order by free_at limit ${literal(size)}
    ) as freed
    limit ${limit}`
  return {
    cells: sql`select place_id from ${ring} as ring`,
    something: free(sql`1`),
    drawn: free(quotaOf(size)),
  }
}

/** The most numbers that one cell has to contribute, since every other cell contributes at least one. */
const quotaOf = (size: number): Sql => sql`(select ${literal(size + 1)} - count(*) from cell)`

/** How many numbers of a place's ring are tried for a prefix. */
const TRIED = 100
/**
 * How many numbers, over all cells, a sample is drawn from when those tried were not enough: it must not show
 * neighbours.
 */
const DRAWN_FROM = 500
/** How many of a place's freed numbers that have not been swept yet are tried for a prefix. */
const FREED_TRIED = 250

/**
 * From the ring of a place's free numbers, those of the next ones that have the prefix. When these are too few because
 * the prefix is rare there, also from a run of the place's free numbers in numeric order (`number_available_order`),
 * entered at random digits.
 */
function byPrefix(ring: Sql, prefixes: readonly string[], size: number, now: Date): Finding {
  const quota = quotaOf(size)
  const run = sql`(select ${literal(DRAWN_FROM)} / count(*) from cell)`
  const freed = sql`
    select e164 from (
      select e164 from number where place_id = c.place_id and free_at <= ${hidden(now, sql`timestamptz`)} order by free_at limit ${literal(FREED_TRIED)}
    ) as tried
    where e164 >= c.low and e164 < c.high`
  return {
    cells: sql`
      -- A colon follows 9 in the order of characters, so texts that begin with low lie between low and high.
      select place_id, low, low || ':' as high, low || ${hidden(randomDigits(), sql`text`)} as entry from ${ring} as ring
      cross join (values ${join(prefixes.map((prefix) => sql`(${hidden(`+${prefix}`, sql`text`)})`))}) as prefix (low)`,
    something: sql`
      select * from (
        select e164 from number
        where place_id = c.place_id and state = 'available' and e164 >= c.low and e164 < c.high
        order by e164 limit 1
      ) as available
      union all
      select * from (${freed}) as freed
      limit 1`,
    drawn: sql`
      with met as materialized (
        select e164 from (
          select e164 from number
          where place_id = c.place_id and state = 'available' and shuffle >= ${hidden(randomShuffle(), sql`integer`)}
          order by shuffle limit ${literal(TRIED)}
        ) as tried
        where e164 >= c.low and e164 < c.high limit ${quota}
      )
      select e164 from met
      union all
      select e164 from (
        select * from (
          select e164 from number
          where place_id = c.place_id and state = 'available' and e164 >= c.entry and e164 < c.high
          order by e164 limit ${literal(DRAWN_FROM)}
        ) as onwards
        union all
        select * from (
          select e164 from number
          where place_id = c.place_id and state = 'available' and e164 >= c.low and e164 < c.entry
          order by e164 limit ${literal(DRAWN_FROM)}
        ) as wrapped
        union all
        select * from (${freed}) as freed
        limit ${run}
      ) as run
      where (select count(*) from met) < ${quota} and e164 not in (select e164 from met)`,
  }
}

/** Drops a prefix that begins with another one of them, so that no number is found twice. */
function distinctPrefixes(prefixes: readonly string[]): string[] {
  const distinct = [...new Set(prefixes)]
  return distinct.filter((prefix) => !distinct.some((other) => other !== prefix && prefix.startsWith(other)))
}

/** Whether a place's area code can follow the country calling code in a number with one of these prefixes. */
const hasAreaCodeOf = (prefixes: readonly string[]): Sql => sql`exists (
  select from unnest(${hidden(prefixes.flatMap(withoutCallingCode), sql`text[]`)}) as prefix (rest)
  where starts_with(rest, area_code) or starts_with(area_code, rest)
)`

/** Calling codes are 1, 7, or two or three digits long. */
const withoutCallingCode = (prefix: string): string[] =>
  /^[17]/.test(prefix) ? [prefix.slice(1)] : [prefix.slice(2), prefix.slice(3)]

const RANDOM_DIGITS = 12
const randomDigits = (): string => String(randomInt(10 ** RANDOM_DIGITS)).padStart(RANDOM_DIGITS, '0')
