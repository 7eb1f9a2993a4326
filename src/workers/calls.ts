import { nextCallDueAt } from '../operations/call-store.js'
import { makeDueCalls } from '../phone-numbers/execution/call-out.js'
import type { PhoneNumbersDeps } from '../phone-numbers/model/deps.js'
import type { Task } from './worker.js'

/** An accepted purchase wakes the worker of its own process; the timer finds what another process left behind. */
const INTERVAL_MS = 5_000
const LANES = 4

/** Makes the calls to billing and fulfilment that are due. */
export const callsTask = (deps: PhoneNumbersDeps): Task => ({
  name: 'calls',
  intervalMs: INTERVAL_MS,
  lanes: LANES,
  runOnce: () => makeDueCalls(deps),
  nextDueAt: () => nextCallDueAt(deps.db),
})
