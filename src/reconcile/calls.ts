/**
 * The reconciler's calls to a backend, and what the responses mean. Claimed items are gathered into calls, with as many
 * of one kind in a call as the backend takes; each call returns a result for each of its items.
 */
import { passesOn, tenantAt } from '../accounts/account.js'
import { observedOf } from '../accounts/agreement.js'
import type { ProvisioningDeps } from '../accounts/deps.js'
import {
  consentChanges,
  desiredAccounts,
  desiredNumbers,
  desiredSubdomains,
  type DesiredNumber,
} from '../accounts/desired.js'
import { namesOf, wantedRecords } from '../accounts/subdomain.js'
import type { Backend, BackendNumber, NumberUpload, ServiceCode } from '../backends/port/backend.js'
import type { Outcome } from '../backends/port/call.js'
import { serviceKeyOf, services } from '../backends/port/services.js'
import { later } from '../clock.js'
import type { Queryable } from '../db/db.js'
import type { Claimed } from '../sync/claims.js'
import { VERIFY_AGAIN_MS, nextStep, placedAfter, type NumberStep } from '../sync/plan.js'
import type { Result } from '../sync/results.js'
import { inBatches } from './batches.js'
import { call, commandOf, type Call, type ItemResult } from './call.js'

/** The calls for claimed items of one service, and the results of items that need no call. */
export interface Work {
  calls: Call[]
  settled: Result[]
}

export const nothingToDo = (claimed: Claimed): Result => ({ claimed, step: 'none', kind: 'confirmed', placed: null })

/** The next step of each number; numbers with the same next step and tenant go together. */
export async function numberWork(
  deps: ProvisioningDeps,
  db: Queryable,
  backend: Backend,
  code: ServiceCode,
  claimed: readonly Claimed[],
): Promise<Work> {
  const key = serviceKeyOf[code]
  const desired = await desiredNumbers(
    db,
    claimed.map((item) => item.key),
    key,
  )
  const groups = new Map<string, { step: NumberStep; tenantId: string; items: Claimed[] }>()
  const settled: Result[] = []
  const at = deps.clock.now()
  for (const item of claimed) {
    const wanted = item.goal === 'present' ? desired.get(item.key) : undefined
    const next = nextStep({
      wantedAt: wanted && tenantAt(wanted.account, key),
      placed: item.placed,
      known: item.confirmedGeneration > 0,
      unsure: item.unsure,
    })
    if (next === undefined) {
      settled.push(nothingToDo(item))
      continue
    }
    const verifyAt = next.step === 'look' && item.attemptedAt ? later(item.attemptedAt, VERIFY_AGAIN_MS) : at
    if (verifyAt > at) {
      settled.push({ claimed: item, step: next.step, kind: 'untouched', nextAt: verifyAt })
      continue
    }
    const group = groups.get(`${next.step} ${next.tenantId}`) ?? { ...next, items: [] }
    group.items.push(item)
    groups.set(`${next.step} ${next.tenantId}`, group)
  }
  const calls = [...groups.values()].flatMap(({ step, tenantId, items }) =>
    inBatches(items, backend.batchSize).map((batch) =>
      numberCall(deps, backend, code, { step, tenantId, batch, desired }),
    ),
  )
  return { calls, settled }
}

interface NumberBatch {
  step: NumberStep
  tenantId: string
  batch: Claimed[]
  desired: ReadonlyMap<string, DesiredNumber>
}

function numberCall(
  deps: ProvisioningDeps,
  backend: Backend,
  code: ServiceCode,
  { step, tenantId, batch: asClaimed, desired }: NumberBatch,
): Call {
  const batch =
    step === 'upload' ? asClaimed.map((item) => ({ ...item, placed: placedAfter(step, tenantId) })) : asClaimed
  const commands = (): { e164: string; idempotencyKey: string; sequence: number; ticket?: string }[] =>
    batch.map((item) => ({ e164: item.key, ...commandOf(code, item, step) }))
  const uploads = (): NumberUpload[] =>
    commands().map((command) => ({ ...command, ...settingsOf(desired.get(command.e164)) }))
  const send: Record<NumberStep, () => Promise<Outcome<BackendNumber | undefined>[]>> = {
    upload: () => backend.uploadNumbers(tenantId, uploads()),
    update: () => backend.updateNumbers(tenantId, uploads()),
    unassign: () => backend.unassignNumbers(tenantId, commands()),
    release: () => backend.releaseNumbers(tenantId, commands()),
    look: async () => {
      const found = await backend.getNumbers(
        tenantId,
        batch.map(({ key }) => key),
      )
      const there = new Map(found.map((number) => [number.e164, number]))
      return batch.map(({ key }) => ({ kind: 'done', value: there.get(key) }))
    },
  }
  const done = (item: Claimed, value: BackendNumber | undefined): ItemResult => {
    const at = deps.clock.now()
    switch (step) {
      case 'upload':
      case 'update':
        return {
          kind: 'confirmed',
          placed: placedAfter(step, tenantId),
          ...(value && { observed: observedOf(value) }),
          verifyAt: later(at, item.unsure ? VERIFY_AGAIN_MS : deps.verifyIntervalMs),
        }
      case 'unassign':
        return { kind: 'progress', placed: placedAfter(step, tenantId) }
      case 'release':
        if (item.unsure)
          return { kind: 'progress', placed: placedAfter(step, tenantId), nextAt: later(at, VERIFY_AGAIN_MS) }
        return { kind: item.goal === 'absent' ? 'confirmed' : 'progress', placed: null }
      case 'look':
        if (value) return { kind: 'progress', placed: { tenantId, stage: 'uploaded' }, again: true, unsure: false }
        return { kind: item.goal === 'absent' ? 'confirmed' : 'progress', placed: null, unsure: false }
    }
  }
  const isLeaving = step === 'unassign' || step === 'release'
  return call(deps, code, batch, {
    step,
    send: send[step],
    done,
    // A lost upload may have arrived in between: it is a refusal only once the number has been verified again.
    doubted: ({ unsure }) =>
      step === 'release' && unsure
        ? { placed: placedAfter(step, tenantId), nextAt: later(deps.clock.now(), VERIFY_AGAIN_MS) }
        : undefined,
    ...(isLeaving && { keeps: { tenantId, stage: 'uploaded' } }),
  })
}

const settingsOf = (desired: DesiredNumber | undefined): Pick<NumberUpload, 'configuration' | 'assignmentStatus'> => ({
  configuration: desired?.service?.configuration ?? {},
  ...(desired?.service?.assignmentStatus !== undefined && { assignmentStatus: desired.service.assignmentStatus }),
})

/** Accounts: the customers that a backend knows. */
export async function accountWork(
  deps: ProvisioningDeps,
  db: Queryable,
  backend: Backend,
  code: ServiceCode,
  claimed: readonly Claimed[],
): Promise<Work> {
  const key = serviceKeyOf[code]
  const accounts = await desiredAccounts(
    db,
    claimed.map((item) => item.key),
  )
  const isKnown = ({ key: id }: Claimed): boolean => {
    const account = accounts.get(id)
    return account !== undefined && !(services[key].teams && account.teamsTenantId === null)
  }
  const tenants = (batch: readonly Claimed[]) =>
    batch.map((item) => {
      const account = accounts.get(item.key)
      if (account === undefined) throw new Error(`Account ${item.key} is not loaded.`)
      return {
        ...commandOf(code, item, 'tenant'),
        tenantId: tenantAt(account, key),
        accountName: account.name,
        enabled: account.services[key]?.enabled === true,
        syncEnabled: passesOn(account, key),
      }
    })
  return {
    calls: inBatches(claimed.filter(isKnown), backend.batchSize).map((batch) =>
      call(deps, code, batch, {
        step: 'tenant',
        send: () => backend.upsertTenants(tenants(batch)),
        done: (item) => confirmed(deps, item),
      }),
    ),
    settled: claimed.filter((item) => !isKnown(item)).map(nothingToDo),
  }
}

/** The operator's changes to requests for information; they stay here when the backend has no Teams part. */
export async function consentWork(
  deps: ProvisioningDeps,
  db: Queryable,
  backend: Backend,
  code: ServiceCode,
  claimed: readonly Claimed[],
): Promise<Work> {
  const changes = await consentChanges(
    db,
    claimed.map((item) => item.key),
  )
  const { teams } = backend
  const changed = claimed.filter(({ key }) => changes.has(key))
  if (teams === undefined) return { calls: [], settled: claimed.map(nothingToDo) }
  const relationships = (batch: readonly Claimed[]) =>
    batch.map((item) => {
      const change = changes.get(item.key)
      return {
        ...commandOf(code, item, 'relationship'),
        tenantId: item.key,
        status: change?.status ?? null,
        comment: change?.comment ?? null,
      }
    })
  return {
    calls: inBatches(changed, backend.batchSize).map((batch) =>
      call(deps, code, batch, {
        step: 'relationship',
        send: () => teams.updateCustomerRelationships(relationships(batch)),
        done: (item) => confirmed(deps, item),
      }),
    ),
    settled: claimed.filter(({ key }) => !changes.has(key)).map(nothingToDo),
  }
}

/** An item that can't be verified is synced once more when a command about it was lost, since that may arrive late. */
const confirmed = ({ clock }: ProvisioningDeps, { unsure }: Claimed): ItemResult => ({
  kind: 'confirmed',
  ...(unsure && { verifyAt: later(clock.now(), VERIFY_AGAIN_MS) }),
})

/** The TXT records of subdomains. DNS trouble is never a refusal: the call is retried until it works (contract 7). */
export async function subdomainWork(deps: ProvisioningDeps, db: Queryable, claimed: readonly Claimed[]): Promise<Work> {
  const { regions, zone } = deps
  const tokens = await desiredSubdomains(
    db,
    claimed.map((item) => item.key),
  )
  const records = claimed.flatMap(({ key }) => {
    const wanted = tokens.get(key)
    return wanted
      ? wantedRecords(regions, key, wanted)
      : namesOf(regions, key).map((name) => ({ name, values: [] as string[] }))
  })
  const placed = claimed.map((item): Claimed => ({ ...item, placed: { tenantId: item.key, stage: 'uploaded' } }))
  const made = call(deps, 'dns', placed, {
    step: 'records',
    send: async (): Promise<Outcome[]> => {
      await zone.replaceTxt(records)
      return claimed.map(() => ({ kind: 'done', value: undefined }))
    },
    done: ({ key }) => ({ kind: 'confirmed', ...(!tokens.has(key) && { placed: null }) }),
  })
  return { calls: [made], settled: [] }
}
