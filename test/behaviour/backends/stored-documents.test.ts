/** The simulated backend over the emulator's database: the port's suite, and what only a database can show. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LOG_LIMITS, type Documents } from '../../../src/backends/simulated/documents.js'
import { MemoryDocuments } from '../../../src/backends/simulated/memory-documents.js'
import { readSeed } from '../../../src/backends/simulated/seed.js'
import { createSimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { storedDocuments } from '../../../src/backends/simulated/stored-documents.js'
import { ManualClock } from '../../../src/clock.js'
import type { Db } from '../../../src/db/db.js'
import {
  aNumber,
  anUpload,
  aTenant,
  CALLING,
  describeBackendContract,
  teamsOf,
} from '../../fixtures/backend-contract.js'
import { openTestDatabase, truncate } from '../../fixtures/database.js'

const clock = new ManualClock()
const seed = readSeed()
const simulated = (documents: Documents, service: 'oc' | 'tpm' = 'oc') =>
  createSimulatedBackend({ service, documents, clock, seed })

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

describeBackendContract('the simulated backend over a database', async () => ({
  backend: simulated(storedDocuments(db)),
  close: () => truncate(db),
}))

describe('simulated backends over one database', () => {
  beforeEach(() => truncate(db))

  it('are the same backend, whichever process they are in', async () => {
    const [one, other] = [simulated(storedDocuments(db)), simulated(storedDocuments(db))]
    const e164 = aNumber()
    await one.control.misbehave('refuse', { code: 'No', message: 'No.', times: 1 })
    expect(await other.uploadNumbers('t', [anUpload(e164)])).toMatchObject([{ kind: 'refused' }])
    expect(await one.uploadNumbers('t', [anUpload(e164)])).toMatchObject([{ kind: 'done' }])
    expect(await other.getNumbers('t', [e164])).toMatchObject([{ e164, configuration: CALLING }])
    expect((await other.control.calls({ limit: 10 })).map(({ method }) => method)).toEqual([
      'uploadNumbers',
      'uploadNumbers',
      'getNumbers',
    ])
  })

  it('count a misbehaviour once for each call, however many come at once', async () => {
    const [one, other] = [simulated(storedDocuments(db)), simulated(storedDocuments(db))]
    await one.control.misbehave('refuse', { code: 'No', message: 'No.', times: 5 })
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, index) => (index % 2 ? one : other).uploadNumbers('t', [anUpload(aNumber())])),
    )
    expect(outcomes.flat().filter(({ kind }) => kind === 'refused')).toHaveLength(5)
    expect(await one.control.misbehaviours()).toEqual({})
  })

  it('share consents and addresses between Operator Connect and Teams Phone Mobile, and not numbers', async () => {
    const [oc, tpm] = [simulated(storedDocuments(db)), simulated(storedDocuments(db), 'tpm')]
    const e164 = aNumber()
    await oc.uploadNumbers('t', [anUpload(e164)])
    await oc.control.removeConsent('contosoTenantId')
    await oc.control.putCivicAddresses('t', [])
    expect(await tpm.getNumbers('t', [e164])).toEqual([])
    expect((await teamsOf(tpm).listConsents()).map(({ id }) => id)).toEqual(['contoso2'])
    expect(await teamsOf(tpm).listCivicAddresses('t')).toEqual([])
  })

  it('take any text that JSON can hold', async () => {
    const oc = simulated(storedDocuments(db))
    const configuration = { usage: 'nul \u0000, half \ud800, "quote" \\', choosableCapabilities: ["'", ''] }
    const [e164, tenant] = [aNumber(), aTenant("o'brien/%_\\ ünïcode")]
    await oc.upsertTenants([tenant])
    await oc.uploadNumbers(tenant.tenantId, [anUpload(e164, 1, configuration)])
    expect(await oc.getNumbers(tenant.tenantId, [e164])).toMatchObject([{ configuration }])
    expect((await oc.control.tenants({ limit: 10 })).tenants).toMatchObject([{ tenantId: tenant.tenantId }])
  })
})

describe.each([
  { kept: 'in memory', open: () => new MemoryDocuments() },
  { kept: 'in a database', open: () => storedDocuments(db) },
])('documents $kept', ({ open }) => {
  let documents: Documents
  beforeEach(async () => {
    await truncate(db)
    documents = open()
  })
  const ref = (key: string) => ({ scope: 'oc', kind: 'number', key }) as const

  it('are read in the order asked for, with gaps for those that are not there', async () => {
    await documents.change((change) =>
      change.write([
        { ref: ref('b'), content: { n: 2 } },
        { ref: ref('a'), content: { n: 1 } },
      ]),
    )
    expect(await documents.read([ref('b'), ref('x'), ref('a'), ref('b')])).toEqual([
      { n: 2 },
      undefined,
      { n: 1 },
      { n: 2 },
    ])
    expect(await documents.read([])).toEqual([])
  })

  it('keep all writes of a change, or none', async () => {
    const failing = documents.change(async (change) => {
      await change.write([{ ref: ref('a'), content: 1 }])
      await change.append('oc', { at: '', method: 'x', items: [], answer: 'given' })
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await documents.read([ref('a')])).toEqual([undefined])
    expect(await documents.calls('oc', { limit: 1 })).toEqual([])
  })

  it('let no change come between the reading and the writing of another', async () => {
    await documents.change((change) => change.write([{ ref: ref('count'), content: 0 }]))
    const addOne = () =>
      documents.change(async (change) => {
        const [count] = await change.read([ref('count')])
        await change.write([{ ref: ref('count'), content: (count as number) + 1 }])
      })
    await Promise.all(Array.from({ length: 20 }, addOne))
    expect(await documents.read([ref('count')])).toEqual([20])
  })

  it('are listed by key, page by page, and removed one by one, by kind and by scope', async () => {
    const entries = ['c', 'a', 'b'].map((key) => ({ ref: ref(key), content: key }))
    const others = [
      { ref: { scope: 'oc', kind: 'tenant', key: 'a' } as const, content: 1 },
      { ref: { scope: 'tpm', kind: 'number', key: 'a' } as const, content: 2 },
    ]
    await documents.change((change) => change.write([...entries, ...others]))
    const keys = async (page: { after?: string; limit: number }) =>
      (await documents.list('oc', 'number', page)).map(({ key }) => key)
    expect(await keys({ limit: 2 })).toEqual(['a', 'b'])
    expect(await keys({ after: 'b', limit: 2 })).toEqual(['c'])

    await documents.change((change) => change.write([{ ref: ref('b'), content: undefined }]))
    expect(await keys({ limit: 9 })).toEqual(['a', 'c'])
    await documents.change((change) => change.clear('oc', 'number'))
    expect(await keys({ limit: 9 })).toEqual([])
    await documents.change((change) => change.clear('oc'))
    expect(await documents.read(others.map((entry) => entry.ref))).toEqual([undefined, 2])
  })

  it('keep the newest calls within the limits of the log', async () => {
    const items = Array.from({ length: LOG_LIMITS.items / 100 }, (_, index) => ({ key: String(index) }))
    const calls = 400
    for (let index = 0; index < calls; index++) {
      await documents.change((change) => change.append('oc', { at: '', method: String(index), items, answer: 'given' }))
    }
    const kept = await documents.calls('oc', { limit: calls })
    expect(kept.at(-1)?.method).toBe(String(calls - 1))
    expect(kept.length).toBeGreaterThanOrEqual(100)
    expect(kept.length).toBeLessThan(calls)
    expect(kept.map(({ id }) => id)).toEqual(kept.map(({ id }) => id).sort((a, b) => a - b))
    await documents.change((change) => change.clearCalls('oc'))
    expect(await documents.calls('oc', { limit: 1 })).toEqual([])
  })
})
