/** Each misbehaviour that a simulated backend can be asked for, by its name. */
import { beforeEach, describe, expect, it } from 'vitest'
import { BackendError } from '../../../src/backends/port/call.js'
import { MemoryDocuments } from '../../../src/backends/simulated/memory-documents.js'
import { misbehaviourNames } from '../../../src/backends/simulated/misbehaviour.js'
import { readSeed } from '../../../src/backends/simulated/seed.js'
import { createSimulatedBackend, type SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { ManualClock } from '../../../src/clock.js'
import {
  aCommand,
  aNumber,
  aNumberCommand,
  anUpload,
  aTenant,
  CALLING,
  teamsOf,
} from '../../fixtures/backend-contract.js'

const TENANT = 'tenant'
const TIMEOUT_MS = 10_000
const seed = readSeed()

let clock: ManualClock
let waits: number[]
let backend: SimulatedBackend

const simulated = (service: 'oc' | 'tpm' | 'zoom', documents = new MemoryDocuments()) =>
  createSimulatedBackend({
    service,
    documents,
    clock,
    seed,
    timeoutMs: TIMEOUT_MS,
    wait: async (ms) => {
      waits.push(ms)
      clock.advance(ms)
    },
  })

beforeEach(() => {
  clock = new ManualClock(new Date('2026-03-01T12:00:00.000Z'))
  waits = []
  backend = simulated('oc')
})

const upload = (...e164s: string[]) =>
  backend.uploadNumbers(
    TENANT,
    e164s.map((e164) => anUpload(e164)),
  )
const stored = async (e164: string) => (await backend.getNumbers(TENANT, [e164]))[0]
const failure = async (call: Promise<unknown>): Promise<BackendError> => {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(BackendError)
  return error as BackendError
}
const calls = () => backend.control.calls({ limit: 100 })

describe('latency', () => {
  it('lets the time pass before each call', async () => {
    await backend.control.misbehave('latency', { ms: 1_500 })
    await upload(aNumber())
    await teamsOf(backend).listConsents()
    expect(waits).toEqual([1_500, 1_500])
  })

  it('longer than the time-out loses the answer and not the effect', async () => {
    await backend.control.misbehave('latency', { ms: TIMEOUT_MS + 1, times: 1 })
    const e164 = aNumber()
    expect(await failure(upload(e164))).toMatchObject({ fault: { code: 'Timeout' }, mayHaveActed: true })
    expect(waits).toEqual([TIMEOUT_MS])
    expect(await stored(e164)).toMatchObject({ e164 })
  })
})

describe('refuse', () => {
  const fault = { code: 'NotPortable', message: 'It is not.', target: 'elsewhere' }

  it('refuses the next items with the error asked for, word for word', async () => {
    await backend.control.misbehave('refuse', { ...fault, times: 2 })
    const outcomes = await upload(aNumber(), aNumber(), aNumber())
    expect(outcomes.slice(0, 2)).toEqual([
      { kind: 'refused', fault },
      { kind: 'refused', fault },
    ])
    expect(outcomes[2]).toMatchObject({ kind: 'done' })
    expect(await backend.control.misbehaviours()).toEqual({})
  })

  it('refuses only the numbers and methods asked for', async () => {
    const [met, other] = [aNumber(), aNumber()]
    await backend.control.misbehave('refuse', { code: 'X', message: 'x', keys: [met], methods: ['unassignNumbers'] })
    expect((await upload(other, met)).map(({ kind }) => kind)).toEqual(['done', 'done'])
    const commands = [other, met].map((e164) => aNumberCommand(e164, 2))
    expect((await backend.unassignNumbers(TENANT, commands)).map(({ kind }) => kind)).toEqual(['done', 'refused'])
    expect(await stored(met)).toMatchObject({ assignmentStatus: 'assigned' })
  })
})

describe('timeout-after-success', () => {
  it('acts and loses the answer, and the repeat is answered without acting again', async () => {
    await backend.control.misbehave('timeout-after-success', { times: 1 })
    const [e164, item] = [aNumber(), aCommand()]
    const call = () => backend.uploadNumbers(TENANT, [{ ...item, e164, configuration: CALLING }])
    expect(await failure(call())).toMatchObject({ fault: { code: 'Timeout' }, mayHaveActed: true })
    expect(await call()).toMatchObject([{ kind: 'done', value: { e164 } }])
    expect(await calls()).toMatchObject([
      { answer: 'lost', items: [{ key: e164, outcome: 'done', acted: true }] },
      { answer: 'given', items: [{ key: e164, outcome: 'done', acted: false, note: 'repeated' }] },
    ])
  })
})

describe('timeout-before', () => {
  it('gives no answer and does nothing', async () => {
    await backend.control.misbehave('timeout-before', { times: 1 })
    const e164 = aNumber()
    expect(await failure(upload(e164))).toMatchObject({ fault: { code: 'Timeout' }, mayHaveActed: true })
    expect(await stored(e164)).toBeUndefined()
  })
})

describe('throttle', () => {
  it('asks for every item to be sent later, and questions too', async () => {
    await backend.control.misbehave('throttle', { afterMs: 2_000, times: 2 })
    const e164 = aNumber()
    expect(await upload(e164, aNumber())).toMatchObject([
      { kind: 'later', afterMs: 2_000 },
      { kind: 'later', afterMs: 2_000 },
    ])
    expect(await failure(teamsOf(backend).listConsents())).toMatchObject({
      fault: { code: 'TooManyRequests' },
      afterMs: 2_000,
      mayHaveActed: false,
    })
    expect(await stored(e164)).toBeUndefined()
    expect((await calls()).map(({ answer }) => answer)).toEqual(['throttled', 'throttled', 'given'])
  })
})

describe('unavailable', () => {
  it('lasts until it is ended', async () => {
    await backend.control.misbehave('unavailable', { afterMs: 500 })
    for (const call of [upload(aNumber()), backend.getNumbers(TENANT, [])]) {
      expect(await failure(call)).toMatchObject({ fault: { code: 'ServiceUnavailable' }, afterMs: 500 })
    }
    await backend.control.behave('unavailable')
    expect(await upload(aNumber())).toMatchObject([{ kind: 'done' }])
  })
})

describe('wrong-order', () => {
  it('carries a lost command out after the next one about the same number', async () => {
    await backend.control.misbehave('wrong-order', { times: 1 })
    const e164 = aNumber()
    const [older, newer] = ['Older', 'Newer'].map((usage) => ({ ...CALLING, usage }))
    expect(await failure(backend.uploadNumbers(TENANT, [anUpload(e164, 1, older)]))).toMatchObject({
      mayHaveActed: true,
    })
    expect(await stored(e164)).toBeUndefined()

    const answer = await backend.uploadNumbers(TENANT, [anUpload(e164, 2, newer)])
    expect(answer).toMatchObject([{ kind: 'done' }])
    expect(await stored(e164)).toMatchObject({ configuration: older })
    expect((await calls()).flatMap(({ items }) => items.map(({ sequence, note }) => ({ sequence, note })))).toEqual([
      { sequence: 1, note: 'held back' },
      { sequence: undefined, note: undefined },
      { sequence: 2, note: undefined },
      { sequence: 1, note: 'carried out late' },
      { sequence: undefined, note: undefined },
    ])

    await backend.updateNumbers(TENANT, [anUpload(e164, 3, newer)])
    expect(await stored(e164)).toMatchObject({ configuration: newer })
  })

  it('lets a sender who repeats through, and has the command act once', async () => {
    await backend.control.misbehave('wrong-order', {})
    const command = anUpload(aNumber())
    await failure(backend.uploadNumbers(TENANT, [command]))
    expect(await backend.uploadNumbers(TENANT, [command])).toMatchObject([{ kind: 'done' }])
    const acted = (await calls()).flatMap(({ items }) => items).filter((item) => item.acted)
    expect(acted).toHaveLength(1)
  })
})

describe('job', () => {
  it('answers with a ticket until it has been asked for often enough', async () => {
    await backend.control.misbehave('job', { polls: 2, afterMs: 300, times: 1 })
    const command = anUpload(aNumber())
    const [first] = await backend.uploadNumbers(TENANT, [command])
    expect(first).toMatchObject({ kind: 'later', ticket: expect.any(String) as string, afterMs: 300 })
    const ticket = first?.kind === 'later' ? first.ticket : undefined
    const poll = { ...command, ...(ticket !== undefined && { ticket }) }
    expect(await backend.uploadNumbers(TENANT, [poll])).toMatchObject([{ kind: 'later', ticket, afterMs: 300 }])
    expect(await stored(command.e164)).toBeUndefined()
    expect(await backend.uploadNumbers(TENANT, [poll])).toMatchObject([{ kind: 'done' }])
    expect(await stored(command.e164)).toMatchObject({ configuration: CALLING })
  })

  it('is replaced by a later command about the same number', async () => {
    await backend.control.misbehave('job', { polls: 1, times: 1 })
    const e164 = aNumber()
    const old = anUpload(e164, 1, { ...CALLING, usage: 'Old' })
    await backend.uploadNumbers(TENANT, [old])
    await backend.uploadNumbers(TENANT, [anUpload(e164, 2)])
    expect(await backend.uploadNumbers(TENANT, [old])).toMatchObject([{ kind: 'done' }])
    expect(await stored(e164)).toMatchObject({ configuration: CALLING })
  })
})

describe('partial', () => {
  it('takes every other item of a call', async () => {
    await backend.control.misbehave('partial', { afterMs: 100 })
    const e164s = [aNumber(), aNumber(), aNumber(), aNumber()]
    expect((await upload(...e164s)).map(({ kind }) => kind)).toEqual(['done', 'later', 'done', 'later'])
    expect((await backend.getNumbers(TENANT, e164s)).map(({ e164 }) => e164)).toEqual([e164s[0], e164s[2]])
    expect((await upload(aNumber())).map(({ kind }) => kind)).toEqual(['done'])
  })
})

describe('drift', () => {
  it.each([
    { effect: 'configuration', left: { configuration: {}, assignmentStatus: 'assigned' } },
    { effect: 'assignment', left: { configuration: CALLING, assignmentStatus: 'unassigned' } },
    { effect: 'vanish', left: undefined },
  ] as const)('by $effect happens without a word, to the numbers asked for', async ({ effect, left }) => {
    const [met, other, missing] = [aNumber(), aNumber(), aNumber()]
    await upload(met, other)
    expect(await backend.control.drift(effect, [met, missing])).toEqual([met])
    const after = await stored(met)
    expect(after && { configuration: after.configuration, assignmentStatus: after.assignmentStatus }).toEqual(left)
    expect(await stored(other)).toMatchObject({ configuration: CALLING, assignmentStatus: 'assigned' })
  })

  it('meets all numbers when none are named, and can be mended by the same command', async () => {
    const commands = [anUpload(aNumber()), anUpload(aNumber())]
    await backend.uploadNumbers(TENANT, commands)
    expect(await backend.control.drift('vanish')).toHaveLength(2)
    await backend.uploadNumbers(TENANT, commands)
    expect((await backend.control.numbers({ limit: 9 })).numbers).toHaveLength(2)
  })
})

describe('a simulated backend', () => {
  it('behaves in every way again when all misbehaviours are ended', async () => {
    for (const name of misbehaviourNames) {
      await backend.control.misbehave(name, { ms: 1, code: 'x', message: 'x', afterMs: 1, polls: 1 })
    }
    expect(Object.keys(await backend.control.misbehaviours())).toEqual([...misbehaviourNames])
    await backend.control.behave()
    expect(await upload(aNumber(), aNumber())).toMatchObject([{ kind: 'done' }, { kind: 'done' }])
    expect(waits).toEqual([])
  })

  it('logs each call with its time, its items and what was answered', async () => {
    const e164 = aNumber()
    const command = anUpload(e164, 4, {})
    await backend.uploadNumbers(TENANT, [command])
    clock.advance(1_000)
    await backend.upsertTenants([aTenant(TENANT)])
    const { idempotencyKey, sequence } = command
    expect(await calls()).toEqual([
      {
        id: expect.any(Number) as number,
        at: '2026-03-01T12:00:00.000Z',
        method: 'uploadNumbers',
        tenantId: TENANT,
        items: [{ key: e164, idempotencyKey, sequence, outcome: 'refused', acted: false }],
        answer: 'given',
      },
      expect.objectContaining({ at: '2026-03-01T12:00:01.000Z', method: 'upsertTenants', answer: 'given' }),
    ])
  })

  it('forgets all that happened at a reset', async () => {
    await upload(aNumber())
    await backend.control.putCapabilityPlans(TENANT, [])
    await backend.control.removeConsent('contosoTenantId')
    await backend.control.misbehave('unavailable', {})
    await backend.control.reset()
    expect(await calls()).toEqual([])
    expect((await backend.control.numbers({ limit: 9 })).numbers).toEqual([])
    expect(await teamsOf(backend).listCapabilityPlans(TENANT)).not.toEqual([])
    expect(await teamsOf(backend).listConsents()).toHaveLength(2)
  })

  it('reports numbers as unassigned when it is set not to assign them, and otherwise as the operator says', async () => {
    await backend.control.changeSettings({ assignOnUpload: false })
    const said = { ...anUpload(aNumber()), assignmentStatus: 'assigned' }
    const outcomes = await backend.uploadNumbers(TENANT, [anUpload(aNumber()), said])
    expect(outcomes).toMatchObject([
      { value: { assignmentStatus: 'unassigned' } },
      { value: { assignmentStatus: 'assigned' } },
    ])
  })

  it('has a plan with Mobile for Teams Phone Mobile, and names its service in refusals', async () => {
    backend = simulated('tpm')
    const mobile = { ...CALLING, choosableCapabilities: ['Mobile'] }
    const outcomes = await backend.uploadNumbers(TENANT, [anUpload(aNumber(), 1, mobile), anUpload(aNumber(), 1, {})])
    expect(outcomes).toMatchObject([
      { kind: 'done', value: { acquiredCapabilities: ['UserAssignment', 'Mobile'] } },
      { kind: 'refused', fault: { target: 'tpm' } },
    ])
  })

  it('wants no configuration for services other than those of Teams, and has no Teams part for them', async () => {
    backend = simulated('zoom')
    const e164 = aNumber()
    expect(await backend.uploadNumbers('', [anUpload(e164, 1, {})])).toEqual([
      { kind: 'done', value: { e164, tenantId: '' } },
    ])
    expect(await backend.releaseNumbers('', [aNumberCommand(e164, 2)])).toMatchObject([{ kind: 'done' }])
    expect(backend.teams).toBeUndefined()
  })
})

describe('the strict switch', () => {
  beforeEach(() => backend.control.changeSettings({ strict: true }))

  it('lets the documented example pass', async () => {
    expect(await upload(aNumber())).toMatchObject([{ kind: 'done' }])
  })

  it.each([
    { configuration: { ...CALLING, usage: 'Unheard' }, message: /^Unknown usage Unheard; known: Calling/ },
    { configuration: { ...CALLING, additionalUsages: ['Unheard'] }, message: /^Unknown usage Unheard/ },
    {
      configuration: { ...CALLING, choosableCapabilities: ['Mobile'] },
      message: /^Capabilities outside the plan of CallingUserAssignment: Mobile$/,
    },
    { configuration: { ...CALLING, civicAddressId: 'nowhere' }, message: /^Unknown civic address nowhere$/ },
    { configuration: { ...CALLING, locationId: 'nowhere' }, message: /^Unknown location nowhere$/ },
    {
      configuration: { usage: 'CallingUserAssignment', choosableCapabilities: [] },
      message: /needs an emergency address/,
    },
  ])('refuses with $message', async ({ configuration, message }) => {
    const outcomes = await backend.uploadNumbers(TENANT, [anUpload(aNumber(), 1, configuration)])
    expect(outcomes).toMatchObject([
      {
        kind: 'refused',
        fault: { code: 'InvalidRequest', target: 'oc', message: expect.stringMatching(message) as string },
      },
    ])
  })
})
