/** Everything that is known of one number: what `linebook number` and `GET /status/numbers/{e164}` tell. */
import { isEnabled, type NumberDetails } from '../../accounts/account-number.js'
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import { sql, type Queryable } from '../../db/db.js'
import { effectiveState, type NumberState, type NumberType } from '../../ledger/number.js'
import type { HistoryLine } from '../../ledger/reads.js'
import type { SyncService } from '../../sync/sync.js'
import { nextAttempt, type NextAttempt, type Standing } from './next-attempt.js'
import type { ServiceAtWork } from './status.js'

export interface SyncAttempt {
  at: Date
  service: SyncService
  generation: number
  step: string
  outcome: 'done' | 'refused' | 'later'
  code: string | null
  message: string | null
}

export type TimelineEntry = ({ kind: 'history' } & HistoryLine) | ({ kind: 'attempt' } & SyncAttempt)

export interface LedgerStanding {
  state: NumberState
  /** When it becomes available by itself; Infinity while a purchase is under way. */
  freeAt: Date | number | null
  /** Rests because it left an account: the operator may put it on an account again at once. */
  leftAccount: boolean
  /** Who holds or owns it. */
  resource: string | null
  account: string | null
  /** Null for a number that is not stock. */
  place: {
    countryCode: string
    numberType: NumberType
    areaCode: string
    locality: string
    administrativeDivision: string
  } | null
}

export interface OnAccount {
  account: string
  services: ServiceKey[]
  modifiedAt: Date
  /** Since when it is being taken off: no client sees it, its backends have still to let go of it. */
  leavingSince: Date | null
}

export interface ServiceStanding extends Standing {
  service: SyncService
  goal: 'present' | 'absent'
  generation: number
  confirmedGeneration: number
  refusal: { code: string; message: string } | null
  next: NextAttempt | null
  /** Why the backend is not asked although it may be time; until null: until somebody changes that. */
  heldBack: { reason: string; until: Date | null } | null
}

export interface Timeline {
  e164: string
  /** Null when it is not in the ledger, or no longer. */
  ledger: LedgerStanding | null
  onAccount: OnAccount | null
  sync: ServiceStanding[]
  /** Oldest first; the newest {@link MOST_LINES} of the history and of the attempts. */
  entries: TimelineEntry[]
  /** Whether older entries were left out. */
  cut: boolean
}

/** Of the history, and of the attempts. */
export const MOST_LINES = 1_000

/**
 * Undefined when nothing has ever been heard of the number. Primary keys throughout.
 * @param services how the backends are, for why a number waits; left out where that isn't known
 */
export async function timelineOf(
  db: Queryable,
  e164: string,
  { now, services = [] }: { now: Date; services?: readonly ServiceAtWork[] },
): Promise<Timeline | undefined> {
  const ledger = await readLedger(db, e164, now)
  const onAccount = await readOnAccount(db, e164)
  const sync = await readStandings(db, e164)
  const history = await readHistory(db, e164)
  const attempts = await readAttempts(db, e164)
  if (!ledger && history.length === 0 && attempts.length === 0) return undefined
  const cut = history.length > MOST_LINES || attempts.length > MOST_LINES
  return {
    e164,
    ledger: ledger ?? null,
    onAccount: onAccount ?? null,
    sync: sync.map((standing) => ({
      ...standing,
      next: nextAttempt(standing, now) ?? null,
      heldBack: heldBack(standing, services, now),
    })),
    entries: inOrder(history.slice(-MOST_LINES), attempts.slice(-MOST_LINES)),
    cut,
  }
}

/**
 * Merges both by time, each in the order in which it was written. At one instant people's doings come before attempts,
 * which they caused; what the system did comes after: it followed from an answer.
 */
function inOrder(history: readonly HistoryLine[], attempts: readonly SyncAttempt[]): TimelineEntry[] {
  const entries: TimelineEntry[] = []
  const attemptTimes = risingTimes(attempts)
  const told = (before: (time: number) => boolean): void => {
    for (let next = attempts.length - left; left > 0 && before(attemptTimes[next] as number); next++, left--) {
      entries.push({ kind: 'attempt', ...(attempts[next] as SyncAttempt) })
    }
  }
  let left = attempts.length
  const historyTimes = risingTimes(history)
  history.forEach((line, index) => {
    const at = historyTimes[index] as number
    told((time) => time < at || (time === at && line.actor === 'system'))
    entries.push({ kind: 'history', ...line })
  })
  told(() => true)
  return entries
}

/** The times of lines in the order in which they were written: a clock that was ahead doesn't push later ones away. */
function risingTimes(lines: readonly { at: Date }[]): number[] {
  const times = lines.map(({ at }) => at.getTime())
  for (let index = times.length - 2; index >= 0; index--) {
    times[index] = Math.min(times[index] as number, times[index + 1] as number)
  }
  return times
}

function heldBack(
  { status, service }: Standing & { service: SyncService },
  services: readonly ServiceAtWork[],
  now: Date,
): ServiceStanding['heldBack'] {
  const atWork = services.find(({ code }) => code === service)
  if (status !== 'pending' || atWork === undefined) return null
  if (atWork.backend === 'none') return { reason: 'no backend is configured for this service', until: null }
  const { unavailable } = atWork
  if (unavailable === undefined || unavailable === 'unknown' || unavailable.until <= now) return null
  return unavailable
}

type LedgerRow = Omit<LedgerStanding, 'place'> & {
  [Key in keyof NonNullable<LedgerStanding['place']>]: string | null
}

async function readLedger(db: Queryable, e164: string, now: Date): Promise<LedgerStanding | undefined> {
  const [row] = await db.query<LedgerRow>(sql`
    select n.state, n.free_at as "freeAt", n.left_account as "leftAccount", r.name as resource, a.name as account,
           p.country_code as "countryCode", p.number_type as "numberType", p.area_code as "areaCode", p.locality,
           p.administrative_division as "administrativeDivision"
    from number n
    left join place p on p.id = n.place_id
    left join resource r on r.id = n.resource_id
    left join account a on a.id = n.account_id
    where n.e164 = ${e164}`)
  if (row === undefined) return undefined
  const { freeAt, leftAccount, resource, account, ...place } = row
  const state = effectiveState(row.state, freeAt, now)
  // What time has ended is over, swept or not.
  const isOver = state !== row.state
  return {
    state,
    freeAt: isOver ? null : freeAt,
    leftAccount: leftAccount && !isOver,
    resource: isOver ? null : resource,
    account,
    place: place.countryCode === null ? null : placeOf(place),
  }
}

const placeOf = (row: Omit<LedgerRow, keyof LedgerStanding>): NonNullable<LedgerStanding['place']> => ({
  countryCode: row.countryCode ?? '',
  numberType: row.numberType as NumberType,
  areaCode: row.areaCode ?? '',
  locality: row.locality ?? '',
  administrativeDivision: row.administrativeDivision ?? '',
})

async function readOnAccount(db: Queryable, e164: string): Promise<OnAccount | undefined> {
  const [row] = await db.query<Omit<OnAccount, 'services'> & { details: NumberDetails }>(sql`
    select a.name as account, n.details, n.modified_at as "modifiedAt", n.removed_at as "leavingSince"
    from account_number n join account a on a.id = n.account_id where n.e164 = ${e164}`)
  if (row === undefined) return undefined
  const { details, ...rest } = row
  return { ...rest, services: serviceKeys.filter((key) => isEnabled(details, key)) }
}

const readStandings = (db: Queryable, e164: string) =>
  db.query<Omit<ServiceStanding, 'next' | 'heldBack'>>(sql`
    select service, goal, generation, confirmed_generation as "confirmedGeneration",
           case when refusal is not null then 'failed' when pending_since is not null then 'pending' else 'synced' end
             as status,
           refusal -> 0 as refusal, placed, ticket, unsure, attempts, last_error as "lastError",
           last_attempt_at as "lastAttemptAt", pending_since as "pendingSince", next_attempt_at as "nextAttemptAt",
           claimed_until as "claimedUntil", verify_at as "verifyAt"
    from sync where kind = 'number' and key = ${e164} order by service`)

/** One more than is shown, to know whether there are more. */
const readHistory = (db: Queryable, e164: string): Promise<HistoryLine[]> =>
  db.query<HistoryLine>(sql`
    select at, event, from_state as "fromState", to_state as "toState", actor, reason
    from (select * from number_history where e164 = ${e164} order by id desc limit ${MOST_LINES + 1}) as newest
    order by id`)

const readAttempts = (db: Queryable, e164: string): Promise<SyncAttempt[]> =>
  db.query<SyncAttempt>(sql`
    select at, service, generation, step, outcome, code, message
    from (
      select * from sync_attempt where kind = 'number' and key = ${e164} order by id desc limit ${MOST_LINES + 1}
    ) as newest
    order by id`)
