/** The test controls of an emulator from outside: the official client against them, and the command line. */
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runLinebook, startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { accessKeyOf, aSearch, owned, purchase, quickly, search, signingEachAttempt } from './clients.js'

let linebook: Linebook
let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'linebook-acceptance-'))
  linebook = await startLinebook({ dataDir })
  await emulator('PUT', '/snapshots/at-start')
})
afterAll(async () => {
  await linebook?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const emulator = async (method: string, path: string, body?: unknown, server = linebook) => {
  const answer = await fetch(`${server.httpUrl}/_emulator${path}`, {
    method,
    headers: { authorization: `Basic ${btoa('linebook-admin:linebook-standin')}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown>
}
// What people's tests would do between them: quicker than beginning anew.
beforeEach(() => emulator('POST', '/snapshots/at-start/restore'))

/** The client retries at once, and as often as it does by itself. */
const aResource = async (wanted: object = {}, options: { signsEachAttempt?: boolean } = {}) => {
  const { connectionString, phoneNumbers, name } = (await emulator('POST', '/resources', wanted)) as {
    connectionString: string
    phoneNumbers: string[]
    name: string
  }
  const retryOptions = { retryDelayInMs: 5, maxRetryDelayInMs: 20 }
  const { signatures, policies } = signingEachAttempt(accessKeyOf(connectionString))
  const client = new PhoneNumbersClient(connectionString, {
    allowInsecureConnection: true,
    retryOptions,
    ...(options.signsEachAttempt && { additionalPolicies: policies }),
  })
  return { client, phoneNumbers, name, signatures }
}
const faults = async () => (await emulator('GET', '/faults'))['faults'] as { route: string; struck: number }[]

describe('the official client', () => {
  it('whose answers get lost buys once: each request is sent again, and has one effect', async () => {
    const stock = [{ countryCode: 'US', phoneNumberType: 'geographic', areaCode: '206', quantity: 5 }]
    const { client, phoneNumbers } = await aResource({ stock, wallets: [{ currency: 'USD', amount: '100' }] })
    for (const route of [
      'PhoneNumbers_SearchAvailablePhoneNumbers',
      'PhoneNumbers_PurchasePhoneNumbers',
      'PhoneNumbers_ReleasePhoneNumber',
    ]) {
      await emulator('POST', '/faults', { route, effect: 'lose-answer', times: 1 })
    }
    const { searchId, phoneNumbers: found } = await search(client, { quantity: 2 })
    await purchase(client, searchId)
    expect((await owned(client)).sort()).toEqual([...found].sort())
    const release = await client.beginReleasePhoneNumber(found[0] as string, quickly)
    await release.pollUntilDone()
    expect(await owned(client)).toHaveLength(1)
    // The search that was carried out and lost holds nothing beside the one that was answered.
    expect((await search(client, { quantity: phoneNumbers.length - 2 })).phoneNumbers).toHaveLength(3)
    expect(await faults()).toMatchObject([{ struck: 1 }, { struck: 1 }, { struck: 1 }])
  })

  it('that signs each attempt anew holds and releases the last number once when responses get lost', async () => {
    const stock = [{ countryCode: 'US', phoneNumberType: 'geographic', areaCode: '206', quantity: 1 }]
    const { client, phoneNumbers, signatures } = await aResource({ stock }, { signsEachAttempt: true })
    const route = 'PhoneNumbers_SearchAvailablePhoneNumbers'
    await emulator('POST', '/faults', { route, effect: 'lose-answer', times: 2 })
    await emulator('POST', '/faults', { route: 'PhoneNumbers_ReleasePhoneNumber', effect: 'lose-answer', times: 2 })
    const found = await search(client)
    expect(found.phoneNumbers).toEqual(phoneNumbers)
    await purchase(client, found.searchId)
    const release = await client.beginReleasePhoneNumber(phoneNumbers[0] as string, quickly)
    await release.pollUntilDone()
    expect(await owned(client)).toEqual([])
    expect(await faults()).toMatchObject([{ struck: 2 }, { struck: 2 }])
    expect(new Set(signatures).size).toBe(signatures.length)
  })

  it('gets through cut connections, throttling and failures that pass', async () => {
    const { client } = await aResource()
    const route = 'PhoneNumbers_ListPhoneNumbers'
    await emulator('POST', '/faults', { route, effect: 'cut', times: 1 })
    await emulator('POST', '/faults', { route, effect: 'answer', status: 429, retryAfterSeconds: 0, times: 1 })
    await emulator('POST', '/faults', { route, effect: 'answer', status: 503, times: 1 })
    expect(await owned(client)).toEqual([])
    expect(await faults()).toMatchObject([{ struck: 1 }, { struck: 1 }, { struck: 1 }])
  })

  it('sees operations go as they were scripted', async () => {
    const { client, name } = await aResource()
    await emulator('POST', '/scripts', { resource: name, operation: 'search', polls: 2 })
    await emulator('POST', '/scripts', { resource: name, operation: 'purchase', failure: { code: 'NotEnoughCredit' } })
    const poller = await client.beginSearchAvailablePhoneNumbers(aSearch(), quickly)
    const { searchId } = await poller.pollUntilDone()
    await expect(purchase(client, searchId)).rejects.toThrow()
    expect(await owned(client)).toEqual([])
  })
})

it('the settings of an emulator are there again after a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linebook-acceptance-'))
  const first = await startLinebook({ dataDir: folder })
  await emulator('POST', '/clock', { advance: 'P1D' }, first)
  await emulator('POST', '/scripts', { operation: 'search', byHand: true }, first)
  await emulator('PUT', '/snapshots/kept', undefined, first)
  await first.stop()
  const second = await startLinebook({ dataDir: folder })
  const clock = await runLinebook(['emulator', 'clock', '--json'], { env: { LINEBOOK_DATA_DIR: folder } })
  expect(JSON.parse(clock.stdout)).toMatchObject({ offsetMs: 86_400_000 })
  expect(await emulator('GET', '/scripts', undefined, second)).toMatchObject({ scripts: [{ byHand: true }] })
  await emulator('POST', '/snapshots/kept/restore', undefined, second)
  await second.stop()
  await rm(folder, { recursive: true, force: true })
})
