/** The status of the backends as text: a table of all, then what needs somebody, since when, and what to do. */
import type { Item } from '../../operator/status/status.js'
import type { ServiceStatusJson, StatusJson } from '../../operator/status/views.js'
import type { SyncService } from '../../sync/sync.js'
import { purchasesText } from './purchases-text.js'
import { alignColumns } from './stock-table.js'
import { counted, duration, instant, instantWithAge, printable, relative } from './words.js'

export const serviceNames: Readonly<Record<SyncService, string>> = {
  oc: 'Operator Connect',
  tpm: 'Teams Phone Mobile',
  dr: 'Direct Routing',
  zoom: 'Zoom Phone',
  aocp: 'Call Protection',
  dns: 'DNS records',
}

export function statusText(status: StatusJson, source: string): string {
  const { services, purchases, at } = status
  const troubles = [
    ...services.flatMap((service) => troublesOf(service, at)),
    ...purchases.map((waiting) => purchasesText(waiting, at)),
  ]
  return [
    `${instant(at)}, says ${source}`,
    table(status),
    ...(services.some(({ circuit }) => circuit === 'unknown') ? [CALLS_UNKNOWN] : []),
    ...(troubles.length > 0 ? troubles : [summary(status)]),
  ].join('\n\n')
}

const CALLS_UNKNOWN = 'CALLS "?": whether a backend is being called, only a running server knows: ask one with --url.'
const NAME_COLUMNS = 4

const table = ({ at, services }: StatusJson): string =>
  alignColumns(
    [
      ['SERVICE', '', 'BACKEND', 'CALLS', 'PENDING', 'DUE', 'UNDER WAY', 'WAITING', 'NEXT TRY', 'OLDEST', 'FAILED'],
      ...services.map(({ service, backend, circuit, pending, failed }) => [
        service,
        serviceNames[service],
        backend,
        callsText(backend, circuit),
        ...[pending.count, pending.due, pending.claimed, pending.waiting].map(String),
        pending.nextAttemptAt === null ? '-' : relative(pending.nextAttemptAt, at),
        pending.oldest === null ? '-' : duration(pending.oldest.ageSeconds * 1_000),
        String(failed.count),
      ]),
    ],
    NAME_COLUMNS,
  )

function callsText(backend: string, circuit: ServiceStatusJson['circuit']): string {
  if (backend === 'none') return '-'
  if (circuit === 'closed') return 'ok'
  return circuit === 'unknown' ? '?' : 'stopped'
}

const summary = ({ services }: StatusJson): string =>
  services.every(({ pending }) => pending.count === 0)
    ? 'Every backend is in sync, and nothing was refused.'
    : 'Nothing was refused, and no sync that is under way has gone wrong.'

/** What is wrong with one service, a paragraph each; nothing when all is well. */
function troublesOf(service: ServiceStatusJson, at: string): string[] {
  const name = `${serviceNames[service.service]} (${service.service})`
  if (service.backend === 'none') return unserved(service, name)
  const calls =
    typeof service.circuit === 'string'
      ? [...forgotten(service, name, at), ...erring(service, name, at)]
      : [stopped(service.circuit, service, name, at)]
  return [...calls, ...refused(service, name, at)].map((lines) => lines.join('\n'))
}

function unserved({ pending, failed }: ServiceStatusJson, name: string): string[] {
  const left = pending.count + failed.count
  if (left === 0) return []
  return [
    `${name} has no backend, but ${counted(left, 'item')} left over from when it had one.\n` +
      '  They hinder nobody, and go on when LINEBOOK_BACKENDS names a backend for it again.',
  ]
}

function stopped(
  { openUntil, reason }: { openUntil: string; reason: string },
  { pending }: ServiceStatusJson,
  name: string,
  at: string,
): string[] {
  return [
    `${name} is not being called until ${instant(openUntil)} (${relative(openUntil, at)}), because it does not answer.`,
    `  ${printable(reason)}`,
    `  ${counted(pending.count, 'item')} to be synced. Nothing is lost, and it is tried again by itself.`,
    '  To do: look at the backend, and at the way to it.',
  ]
}

/** Longer than a server needs to find what is due, without being woken for it. */
const TAKEN_UP_WITHIN_MS = 60_000

function forgotten({ pending }: ServiceStatusJson, name: string, at: string): string[][] {
  const { due, dueSince, claimed } = pending
  if (dueSince === null || claimed > 0 || Date.parse(at) - Date.parse(dueSince) < TAKEN_UP_WITHIN_MS) return []
  return [
    [
      `${name} has ${counted(due, 'item')} due since ${instantWithAge(dueSince, at)}, which nobody takes up.`,
      '  To do: see that a server is running (linebook serve) and reaches this database; its log says more.',
    ],
  ]
}

function erring({ service, pending, lastError, failed }: ServiceStatusJson, name: string, at: string): string[][] {
  const isRefusal = lastError !== null && failed.refusals.some(({ latest }) => latest.at === lastError.at)
  if (lastError === null || isRefusal || pending.count === 0) return []
  const next = pending.nextAttemptAt === null ? '' : `, next ${relative(pending.nextAttemptAt, at)}`
  return [
    [
      `${name} is not in sync: ${counted(pending.count, 'item')} still to be sent.`,
      `  Newest error, ${instantWithAge(lastError.at, at)}: ${printable(lastError.message)}`,
      `    with ${itemText(lastError.item)}${look(lastError.item)}`,
      `  It is tried again by itself${next}.` +
        (pending.waiting > 0 ? ` To try at once: linebook requeue --waiting --service ${service}` : ''),
    ],
  ]
}

function refused({ service, failed }: ServiceStatusJson, name: string, at: string): string[][] {
  if (failed.count === 0) return []
  const shown = failed.refusals.reduce((sum, { count }) => sum + count, 0)
  const groups = failed.refusals.flatMap(({ kind, goal, code, count, since, latest }) => [
    `  ${counted(count, kind)}${goal === 'absent' ? ' to be removed' : ''}, since ${instantWithAge(since, at)}: ` +
      printable(`${code}: ${latest.message}`),
    `    e.g. ${itemText(latest.item)}${look(latest.item)}`,
  ])
  const kept = failed.refusals.some(({ kind, goal }) => kind === 'number' && goal === 'absent')
  return [
    [
      `${name} has refused ${counted(failed.count, 'item')}. Nothing of it is tried again until somebody acts.`,
      ...groups,
      ...(failed.count > shown ? [`  ${failed.count - shown} more, for other reasons`] : []),
      `  To do: mend the cause, then: linebook requeue --service ${service}`,
      ...(kept
        ? [
            '  What it would not remove is on its account again, unless that was deleted too; there a requeue keeps it,',
            '  and another deletion removes it.',
          ]
        : []),
    ],
  ]
}

function itemText({ kind, key, account }: Item): string {
  if (kind === 'account') return `account ${account ?? key}`
  const on = account === null ? '' : ` of account ${account}`
  return `${kind === 'consent' ? 'request for information of tenant' : kind} ${printable(key)}${on}`
}

const look = ({ kind, key }: Item): string => (kind === 'number' ? `; see: linebook number ${key}` : '')
