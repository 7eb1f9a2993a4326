/** Reads that ask backends while a client waits: side by side, and not for long. */
import { describe, expect } from 'vitest'
import { AnnouncedConsents, listConsents } from '../../../src/accounts/commands/consents.js'
import { getNumber } from '../../../src/accounts/commands/read.js'
import {
  availableCapabilities,
  getCivicAddress,
  listCapabilityPlans,
  listCivicAddresses,
} from '../../../src/accounts/commands/teams.js'
import { DomainError } from '../../../src/errors.js'
import { fictionals } from '../../fixtures/accounts.js'
import { it } from '../../fixtures/test.js'
import { WatchedBackend } from '../../fixtures/watched-backend.js'
import { anOperator, type Operator } from './an-operator.js'

let operator: Operator
let oc: WatchedBackend
let tpm: WatchedBackend
/** Aborted when the client has waited long enough. */
let patience: AbortController

const [first, second] = fictionals(2) as [string, string]
const on = { enabled: true, syncEnabled: true }
it.beforeEach(async ({ db }) => {
  operator = anOperator(db)
  oc = new WatchedBackend(operator.backends.oc)
  tpm = new WatchedBackend(operator.backends.tpm)
  patience = new AbortController()
  operator.deps.backends = { oc: oc.backend, tpm: tpm.backend }
  operator.deps.readDeadline = () => patience.signal
  await operator.putAccount('contoso', { teamsOperatorConnect: on, teamsPhoneMobile: on })
  await operator.putNumbers('contoso', [first], ['teamsOperatorConnect'])
  await operator.putNumbers('contoso', [second], ['teamsPhoneMobile'])
  await operator.sync('oc')
  await operator.sync('tpm')
})

const consents = () => listConsents({ ...operator.deps, announced: new AnnouncedConsents(operator.deps) })
const plans = () => listCapabilityPlans(operator.deps, 'contoso', () => {})
const capabilities = () => availableCapabilities(operator.deps, 'contoso', () => [first, second])

describe.each([
  { what: 'requests for information', method: 'listConsents', read: consents },
  { what: 'capability plans', method: 'listCapabilityPlans', read: plans },
  { what: 'available capabilities', method: 'getAvailableCapabilities', read: capabilities },
] as const)('$what', ({ method, read }) => {
  it('are asked of both Teams services at once', async () => {
    const stops = [oc.stop(method, 'before'), tpm.stop(method, 'before')]
    const reading = read()
    await Promise.all(stops.map(({ reached }) => reached))
    for (const { go } of stops) go()
    expect(await reading).toBeInstanceOf(Array)
  })

  it('are of no use in part: the failure is that of the first service that failed', async () => {
    await operator.backends.oc.control.misbehave('unavailable', { times: 1 })
    await operator.backends.tpm.control.misbehave('throttle', { afterMs: 1, times: 1 })
    expect(await failure(read())).toMatchObject({ target: 'oc', said: { code: 'ServiceUnavailable' } })
    await operator.backends.tpm.control.misbehave('throttle', { afterMs: 1, times: 1 })
    expect(await failure(read())).toMatchObject({ target: 'tpm', said: { code: 'TooManyRequests' } })
  })
})

it.each([
  { what: 'requests for information', method: 'listConsents', read: consents },
  { what: 'capability plans', method: 'listCapabilityPlans', read: plans },
  { what: 'available capabilities', method: 'getAvailableCapabilities', read: capabilities },
  {
    what: 'civic addresses',
    method: 'listCivicAddresses',
    read: () => listCivicAddresses(operator.deps, 'contoso'),
  },
  {
    what: 'details of a civic address',
    method: 'getCivicAddress',
    read: () => getCivicAddress(operator.deps, 'contoso', 'a'),
  },
] as const)('$what of a slow backend fail once the client has waited long enough', async ({ method, read }) => {
  const slow = oc.stop(method, 'before')
  const reading = failure(read())
  await slow.reached
  patience.abort()
  const error = await reading
  expect(error).toBeInstanceOf(DomainError)
  expect(error).toMatchObject({
    kind: 'backend-failed',
    target: 'oc',
    said: { code: 'Timeout', message: 'No answer came within 5000 ms.' },
  })
  slow.go()
})

it('a number is shown as it was when its backend is slow', async () => {
  operator.clock.advance(61_000)
  const slow = oc.stop('getNumbers', 'before')
  const reading = getNumber(operator.deps, 'contoso', first)
  await slow.reached
  patience.abort()
  expect(await reading).toMatchObject({ e164: first, sync: { status: 'synced' } })
  slow.go()
})

const failure = async (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    (value) => expect.fail(`It was ${JSON.stringify(value)}.`),
    (error: unknown) => error,
  )
