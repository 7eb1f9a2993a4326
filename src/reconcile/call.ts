/** One call to a backend about several claimed items, and what its response means for each of them. */
import type { ProvisioningDeps } from '../accounts/deps.js'
import type { ServiceCode } from '../backends/port/backend.js'
import { BackendError, type BackendFault, type Outcome } from '../backends/port/call.js'
import { later } from '../clock.js'
import type { Claimed } from '../sync/claims.js'
import { askedRetryMs, GIVE_UP_AFTER_MS, retryAfterMs } from '../sync/plan.js'
import type { Result } from '../sync/results.js'
import type { Placed, SyncService } from '../sync/sync.js'

export interface Call {
  /** Each with what the backend may hold of it once the call is under way; stored before the call is made. */
  items: readonly Claimed[]
  step: string
  /** Never rejects: a lost call is a result too. */
  run(): Promise<Result[]>
}

/** What a response means for one item. */
export type ItemResult = Omit<Result, 'claimed' | 'step'>

export interface CallSpec<Value> {
  step: string
  send(): Promise<Outcome<Value>[]>
  /** What success means for one item. */
  done(item: Claimed, value: Value): ItemResult
  /** What the backend may hold of an item after refusing it; unchanged when left out. */
  keeps?: Placed
  /** Set for an item whose refusal may be due to a lost command: how to proceed before it counts as refused. */
  doubted?(item: Claimed): Pick<ItemResult, 'placed' | 'nextAt'> | undefined
}

export const commandOf = (
  service: ServiceCode,
  { kind, key, generation, sequence, ticket }: Claimed,
  step: string,
): { idempotencyKey: string; sequence: number; ticket?: string } => ({
  idempotencyKey: `${service}/${kind}/${key}/${generation}/${step}`,
  sequence,
  ...(ticket !== null && { ticket }),
})

export function call<Value>(
  deps: ProvisioningDeps,
  service: SyncService,
  items: readonly Claimed[],
  { step, send, done, keeps, doubted }: CallSpec<Value>,
): Call {
  const refused = (fault: BackendFault): ItemResult => ({
    kind: 'refused',
    fault: { target: service, ...fault },
    ...(keeps && { placed: keeps }),
  })
  const wait = (item: Claimed, why: Why): ItemResult => {
    const at = deps.clock.now()
    // Setting records has the same effect however often and late it happens.
    const unsure = why.isLost && service !== 'dns' ? { unsure: true } : {}
    return { ...(isGivenUp(service, item, at) ? refused(givenUp(why)) : asLater(item, why, at)), ...unsure }
  }
  const judge = (item: Claimed, outcome: Outcome<Value> | undefined): ItemResult => {
    switch (outcome?.kind) {
      case 'done':
        return done(item, outcome.value)
      case 'refused': {
        const doubt = doubted?.(item)
        return doubt ? { kind: 'later', reason: inWords(outcome.fault), ...doubt } : refused(outcome.fault)
      }
      case 'later':
        return wait(item, outcome)
      case undefined:
        return wait(item, { reason: 'The backend did not answer for it.', isLost: true })
    }
  }
  const lost = (error: unknown): Why => {
    if (error instanceof BackendError) {
      const { fault, afterMs, mayHaveActed } = error
      return { reason: inWords(fault), code: fault.code, afterMs, isLost: mayHaveActed }
    }
    deps.logger.error({ err: error, service, step }, 'call to a backend failed')
    return { reason: `The call failed: ${String(error)}`.slice(0, 500), code: 'InternalError', isLost: true }
  }
  return {
    items,
    step,
    run: async () => {
      const results = await send().then(
        (outcomes) => items.map((item, index) => judge(item, outcomes[index])),
        (error: unknown) => {
          const why = lost(error)
          return items.map((item) => wait(item, why))
        },
      )
      return items.map((claimed, index) => ({ claimed, step, ...(results[index] as ItemResult) }))
    },
  }
}

/** Why an item has to wait. */
interface Why {
  reason: string
  code?: string
  afterMs?: number | undefined
  /** The ticket of the job under way; unchanged when left out. */
  ticket?: string | undefined
  isLost?: boolean
}

const asLater = ({ attempts, ticket }: Claimed, why: Why, at: Date): ItemResult => ({
  kind: 'later',
  reason: why.reason,
  nextAt: later(
    at,
    why.afterMs === undefined
      ? retryAfterMs(attempts)
      : askedRetryMs(attempts, why.afterMs, { isJob: why.ticket !== undefined }),
  ),
  ticket: why.ticket ?? ticket,
})

/** Trouble with the zone is never a refusal (contract 7). */
const isGivenUp = (service: SyncService, { pendingSince }: Claimed, at: Date): boolean =>
  service !== 'dns' && pendingSince !== null && at.getTime() - pendingSince.getTime() >= GIVE_UP_AFTER_MS

const givenUp = ({ reason, code = 'BackendUnavailable' }: Why): BackendFault => ({
  code,
  message: `Given up after ${GIVE_UP_AFTER_MS / 3_600_000} hours. ${reason}`,
})

const inWords = ({ code, message }: BackendFault): string => `${code}: ${message}`
