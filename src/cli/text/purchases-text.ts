/** What purchases wait for, as text: how many, since when, why, and what to do. */
import type { CallStage } from '../../operations/call-out.js'
import type { WaitingForCallJson } from '../../operator/status/views.js'
import { counted, instantWithAge, printable, relative } from './words.js'

const waitsFor: Readonly<Record<CallStage, string>> = {
  billing: 'for billing to approve',
  fulfilment: 'for fulfilment to carry out',
  'undo-fulfilment': 'to be cancelled at fulfilment: they have failed, and it may have carried them out',
  'undo-billing': 'to be voided at billing: they have failed, in part or altogether, and it may have approved them',
}

/** Longer than a server needs to find what is due. */
const TAKEN_UP_WITHIN_MS = 60_000

export function purchasesText(
  { stage, count, oldest, lastError, nextAttemptAt }: WaitingForCallJson,
  at: string,
): string {
  const { operationId, resource, since } = oldest
  const late = Date.parse(at) - Date.parse(nextAttemptAt) > TAKEN_UP_WITHIN_MS
  return [
    `${counted(count, 'purchase')} ${count === 1 ? 'waits' : 'wait'} ${waitsFor[stage]}.`,
    `  The oldest since ${instantWithAge(since, at)}: ${operationId} of resource ${printable(resource)}`,
    ...(lastError === null ? [] : [`  ${printable(lastError)}`]),
    late
      ? '  Nobody takes it up. To do: see that a server is running (linebook serve) and reaches this database.'
      : `  It is tried again by itself, next ${relative(nextAttemptAt, at)}.`,
    ...(lastError === null || late ? [] : ['  To do: look at that system, and at the way to it; see docs/hooks.md.']),
  ].join('\n')
}
