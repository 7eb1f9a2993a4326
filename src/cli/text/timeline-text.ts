/** One number as text: where it stands, what comes next and why, and everything that happened to it. */
import { serviceKeyOf } from '../../backends/port/services.js'
import { describePlace } from '../../ledger/stock/enter.js'
import type { ServiceStandingJson, TimelineEntryJson, TimelineJson } from '../../provisioning/status/views.js'
import { serviceNames } from './status-text.js'
import { alignColumns } from './stock-table.js'
import { counted, instant, instantWithAge, printable } from './words.js'

export function timelineText(timeline: TimelineJson, source: string): string {
  const { e164, at, sync, entries, cut } = timeline
  return [
    `${e164} at ${instant(at)}, says ${source}`,
    alignColumns([['Ledger', ledgerText(timeline)], ...placeLine(timeline), ...accountLine(timeline)], 2),
    ...sync.map((standing) => standingText(timeline, standing)),
    ...(cut ? ['(Older entries are left out.)'] : []),
    alignColumns([['TIME (UTC)', 'WHO', 'WHAT', 'OUTCOME', 'WHY'], ...rowsOf(entries)], COLUMNS),
  ].join('\n\n')
}

const COLUMNS = 5

function ledgerText({ ledger, at }: TimelineJson): string {
  if (ledger === null) return 'not in it, or no longer'
  const { state, resource, account, freeAt, leftAccount } = ledger
  switch (state) {
    case 'available':
      return 'available: anybody may buy it, or put it on an account'
    case 'held':
      return `held for resource ${resource ?? '?'}${freeAt === null ? ', which is purchasing it' : ` until ${instantWithAge(freeAt, at)}`}`
    case 'owned':
      return `owned by resource ${resource ?? '?'}`
    case 'assigned':
      return `assigned to account ${account ?? '?'}`
    case 'quarantined':
      return (
        `resting until ${freeAt === null ? '?' : instantWithAge(freeAt, at)}` +
        (leftAccount ? '; until then it may be put on an account, but not bought' : '')
      )
    case 'retired':
      return 'retired: out of service; back with: linebook stock restore'
  }
}

function accountLine({ onAccount, at }: TimelineJson): string[][] {
  if (onAccount === null) return []
  const { account, services, modifiedAt, leavingSince } = onAccount
  if (leavingSince !== null) {
    return [
      [
        'Account',
        `being taken off ${account} since ${instantWithAge(leavingSince, at)}: clients see it no more, a backend still has it`,
      ],
    ]
  }
  const uses = services.length === 0 ? 'no service' : services.join(', ')
  return [['Account', `${account}, with ${uses}; last put ${instantWithAge(modifiedAt, at)}`]]
}

const placeLine = ({ ledger }: TimelineJson): string[][] => {
  if (ledger === null) return []
  return [
    ['Stock', ledger.place === null ? 'never was: it leaves the ledger with its account' : describePlace(ledger.place)],
  ]
}

/** How a backend stands to the number, and what happens next. */
function standingText(timeline: TimelineJson, standing: ServiceStandingJson): string {
  const { at } = timeline
  const { service, status, goal, lastError, placed, attempts, pendingSince, generation, confirmedGeneration } =
    standing
  const wanted = goal === 'present' ? 'to be there' : 'to be removed'
  const since = pendingSince === null ? '' : ` since ${instantWithAge(pendingSince, at)}`
  const error = [lastError?.code, lastError?.message].filter((part) => typeof part === 'string').join(': ')
  return [
    `${serviceNames[service]} (${service}): ${status}${since}, ${wanted}`,
    // Why it waits is said below otherwise.
    ...(status === 'failed' ? [`  Refused: ${printable(error)}`] : []),
    ...(status !== 'failed' && standing.heldBack && error !== '' ? [`  Last error: ${printable(error)}`] : []),
    `  Wanted generation ${generation}, confirmed ${confirmedGeneration === 0 ? 'none' : confirmedGeneration}` +
      (status === 'pending' ? `, ${counted(attempts, 'attempt')} so far` : ''),
    ...(placed === null
      ? []
      : [`  The backend may have it under tenant ${printable(placed.tenantId)} (${placed.stage})`]),
    `  Next: ${nextText(timeline, standing)}`,
  ].join('\n')
}

function nextText({ e164, at, onAccount }: TimelineJson, standing: ServiceStandingJson): string {
  const { service, status, goal, next, heldBack } = standing
  const requeue = `linebook requeue ${e164}`
  if (status === 'failed') {
    const uses = service !== 'dns' && onAccount?.services.includes(serviceKeyOf[service]) === true
    if (goal === 'absent' && uses && onAccount.leavingSince === null) {
      return `nothing by itself. It is on its account again: delete it again, or keep it there with: ${requeue}`
    }
    return `nothing by itself. Mend the cause, then ${goal === 'present' ? 'put it again, or' : 'try again with'}: ${requeue}`
  }
  if (heldBack !== null) {
    const until = heldBack.until === null ? '' : `, until ${instantWithAge(heldBack.until, at)}`
    return `held back${until}: ${printable(heldBack.reason)}`
  }
  if (next === null) return 'nothing; what the backend has of it is not ours to change any more'
  const when = next.at <= at ? `now, due since ${instant(next.at)}` : instantWithAge(next.at, at)
  return `${when}: ${printable(next.why)}`
}

/** Attempts that went the same way one after the other are one row, and one that says how often. */
function rowsOf(entries: readonly TimelineEntryJson[]): string[][] {
  const rows: string[][] = []
  let last: TimelineEntryJson | undefined
  let repeats = 0
  const flush = (): void => {
    if (repeats > 0 && last)
      rows.push([...rowOf(last).slice(0, -1), `the same ${counted(repeats, 'more time')}; the last`])
    repeats = 0
  }
  for (const entry of entries) {
    if (last && isSame(last, entry)) repeats++
    else {
      flush()
      rows.push(rowOf(entry))
    }
    last = entry
  }
  flush()
  return rows
}

const isSame = (a: TimelineEntryJson, b: TimelineEntryJson): boolean =>
  a.kind === 'attempt' &&
  b.kind === 'attempt' &&
  a.service === b.service &&
  a.step === b.step &&
  a.generation === b.generation &&
  a.outcome === b.outcome &&
  a.code === b.code &&
  a.message === b.message

const timeText = (at: string): string => at.slice(0, 23).replace('T', ' ')

function rowOf(entry: TimelineEntryJson): string[] {
  if (entry.kind === 'history') {
    const { at, actor, event, fromState, toState, reason } = entry
    const from = fromState === null || fromState === toState ? '' : `${fromState} `
    return [timeText(at), printable(actor), event, `${from}→ ${toState ?? 'gone'}`, printable(reason)]
  }
  const { at, service, step, generation, outcome, code, message } = entry
  const said = [code, message].filter((part) => part !== null && part !== '').join(': ')
  return [
    timeText(at),
    `to ${service}`,
    step,
    outcome === 'later' ? 'not yet' : outcome,
    printable(said === '' ? `generation ${generation}` : `${said} (generation ${generation})`),
  ]
}
