/** One call to a backend about several claimed things, and what its answer means for each of them. */
import type { ProvisioningDeps } from '../accounts/deps.js'
import type { ServiceCode } from '../backends/port/backend.js'
import { BackendError, type BackendFault, type Outcome } from '../backends/port/call.js'
import { later } from '../clock.js'
import type { Claimed } from '../sync/claims.js'
import { GIVE_UP_AFTER_MS, retryAfterMs } from '../sync/plan.js'
import type { Result } from '../sync/results.js'
import type { Placed, SyncService } from '../sync/sync.js'

export interface Call {
  /** With what the backend may hold of each once the call is under way: that is written down before it is made. */
  items: readonly Claimed[]
  step: string
  /** Never rejects: what was lost on the way is a result too. */
  run(): Promise<Result[]>
}

/** What an answer means for one thing. */
export type Told = Omit<Result, 'claimed' | 'step'>

export interface Asking<Value> {
  step: string
  ask(): Promise<Outcome<Value>[]>
  /** What it means for one thing that it is done. */
  done(item: Claimed, value: Value): Told
  /** What the backend may hold of a thing when it refused; as before when left out. */
  keeps?: Placed
  /** When a refusal may be of something that a lost command did, what is to be found out first. */
  doubted?(item: Claimed): Pick<Told, 'placed' | 'nextAt'> | undefined
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
  { step, ask, done, keeps, doubted }: Asking<Value>,
): Call {
  const refused = (fault: BackendFault): Told => ({
    kind: 'refused',
    fault: { target: service, ...fault },
    ...(keeps && { placed: keeps }),
  })
  const wait = (item: Claimed, why: Why): Told => {
    const at = deps.clock.now()
    // Setting records is the same however often and late it is done.
    const unsure = why.isLost && service !== 'dns' ? { unsure: true } : {}
    return { ...(isGivenUp(service, item, at) ? refused(givenUp(why)) : asLater(item, why, at)), ...unsure }
  }
  const judge = (item: Claimed, outcome: Outcome<Value> | undefined): Told => {
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
      const told = await ask().then(
        (outcomes) => items.map((item, index) => judge(item, outcomes[index])),
        (error: unknown) => {
          const why = lost(error)
          return items.map((item) => wait(item, why))
        },
      )
      return items.map((claimed, index) => ({ claimed, step, ...(told[index] as Told) }))
    },
  }
}

/** Why something has to wait. */
interface Why {
  reason: string
  code?: string
  afterMs?: number | undefined
  /** Of the job under way; the one known so far when left out. */
  ticket?: string | undefined
  isLost?: boolean
}

const asLater = ({ attempts, ticket }: Claimed, why: Why, at: Date): Told => ({
  kind: 'later',
  reason: why.reason,
  nextAt: later(at, why.afterMs ?? retryAfterMs(attempts)),
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
