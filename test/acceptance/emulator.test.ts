/** The test controls of an emulator from outside: the official client against them, and the command line. */
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runLinebook, startLinebook, type CommandResult, type Linebook } from '../fixtures/linebook-process.js'
import { aSearch, connect, owned, purchase, quickly, search } from './clients.js'

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

const emulator = async (method: string, path: string, body?: unknown) => {
  const answer = await fetch(`${linebook.httpUrl}/_emulator${path}`, {
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
const aResource = async (wanted: object = {}) => {
  const { connectionString, phoneNumbers, name } = (await emulator('POST', '/resources', wanted)) as {
    connectionString: string
    phoneNumbers: string[]
    name: string
  }
  const retryOptions = { retryDelayInMs: 5, maxRetryDelayInMs: 20 }
  const client = new PhoneNumbersClient(connectionString, { allowInsecureConnection: true, retryOptions })
  return { client, phoneNumbers, name }
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
  const run = (command: string[], url: string) => runLinebook(['emulator', ...command, '--url', url])
  expect((await run(['clock', '--advance', 'P1D'], first.httpUrl)).code).toBe(0)
  await run(['script', '--operation', 'search', '--by-hand'], first.httpUrl)
  await run(['snapshot', 'kept'], first.httpUrl)
  await first.stop()
  const second = await startLinebook({ dataDir: folder })
  const clock = JSON.parse((await run(['clock', '--json'], second.httpUrl)).stdout) as { offsetMs: number }
  expect(clock.offsetMs).toBe(86_400_000)
  expect((await run(['scripts'], second.httpUrl)).stdout).toMatch(/search: goes by hand/)
  expect((await run(['restore', 'kept'], second.httpUrl)).code).toBe(0)
  await second.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('linebook emulator', () => {
  const run = (...args: string[]): Promise<CommandResult> =>
    runLinebook(['emulator', ...args], { env: { LINEBOOK_DATA_DIR: dataDir } })
  const told = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }
  const local = () => connect(linebook)

  it('takes snapshots, goes back to them and removes them', async () => {
    expect(await told('snapshots')).toMatch(/^at-start +20\d\d-[^\n]+\n$/)
    expect(await told('snapshot', 'clean')).toMatch(/clean is taken/)
    const { searchId } = await search(local())
    await purchase(local(), searchId)
    expect(await owned(local())).toHaveLength(1)
    expect(await told('restore', 'clean')).toMatch(/^Everything is as it was at 20\d\d-/)
    expect(await owned(local())).toEqual([])
    expect(await told('snapshots')).toMatch(/^clean +20\d\d-/m)
    expect(await told('snapshots', '--remove', 'clean')).toMatch(/removed/)
  })

  it('moves the clock and puts it back', async () => {
    expect(await told('clock')).toMatch(/real time\n$/)
    expect(await told('clock', '--advance', 'PT16M')).toMatch(/ 960000 ms from real time/)
    expect(await told('clock', '--advance', '500')).toMatch(/ 960500 ms from real time/)
    expect(await told('clock', '--set', '2090-01-01T00:00:00Z')).toMatch(/^2090-01-01T00:00:00/)
    expect(await told('clock', '--real')).toMatch(/real time\n$/)
  })

  it('makes, lists and removes resources', async () => {
    const file = join(dataDir, 'stock.json')
    await writeFile(file, '[{"countryCode": "US", "phoneNumberType": "tollFree", "areaCode": "800", "quantity": 2}]')
    const made = await told('resource', 'shop', '--stock', `@${file}`, '--wallet', '25USD', '12.50 eur')
    const connectionString = /endpoint=\S+/.exec(made)?.[0] ?? ''
    expect(made).toMatch(/Resource shop has 2 numbers to itself/)
    expect(await owned(new PhoneNumbersClient(connectionString, { allowInsecureConnection: true }))).toEqual([])
    expect(JSON.parse(await told('resource', '--no-stock', '--json'))).toMatchObject({ phoneNumbers: [] })
    expect(await told('resources')).toMatch(/^shop +20\d\d-.* 2 numbers$/m)
    expect(await told('resources', '--remove', 'shop')).toMatch(/removed/)
    expect(await told('resources')).not.toMatch(/^shop/m)
  })

  it('scripts operations and moves them on', async () => {
    const id = (await told('script', '--operation', 'search', '--by-hand', '--times', '1')).split(' ')[0] as string
    const poller = await local().beginSearchAvailablePhoneNumbers(aSearch(), quickly)
    const operation = /^search_\S+/.exec(await told('operations', '--resource', 'local'))?.[0] as string
    expect(await told('operation', operation, 'running')).toMatch(/is running/)
    expect(await told('operation', operation, 'succeeded')).toMatch(/is succeeded/)
    expect((await poller.pollUntilDone()).phoneNumbers).toHaveLength(1)
    expect(await told('scripts')).toMatch(new RegExp(`^${id} +search: goes by hand, 0 of 1 left`))
    await told('scripts', '--remove', id)
    await told('script', '--fail', 'Own', '--message', 'No.', '--after', 'PT1S')
    expect(await told('scripts')).toMatch(/every operation: fails with Own after 1000 ms/)
    await told('scripts', '--clear')
    expect(await told('scripts')).toBe('There are no scripts.\n')
  })

  it('asks for faults and ends them', async () => {
    const options = ['--status', '503', '--retry-after', '1', '--probability', '0.5', '--seed', '3', '--times', '9']
    expect(await told('fault', 'GET /phoneNumbers/*', 'answer', ...options)).toMatch(
      /GET \/phoneNumbers\/\*: answer 503, 0\.5 of the time; struck 0 of 0, at most 9/,
    )
    await told('fault', 'PhoneNumbers_ListPhoneNumbers', 'delay', '--delay', '5')
    expect((await told('faults')).split('\n')).toHaveLength(3)
    await told('faults', '--clear')
    expect(await told('faults')).toBe('There are no faults.\n')
  })

  it('resets', async () => {
    await told('clock', '--advance', 'P1D')
    expect(await told('reset')).toMatch(/fresh/)
    expect(await told('clock')).toMatch(/real time\n$/)
  })

  it.each([
    [['clock', '--advance', 'soon'], /^linebook: advance must be milliseconds/],
    [['clock', '--real', '--advance', '5'], /^linebook: Give one of/],
    [['restore', 'unknown'], /^linebook: There is no snapshot unknown/],
    [['snapshot', 'Big'], /^linebook: "Big" can't name a snapshot/],
    [['fault', 'Nothing', 'cut'], /^linebook: route "Nothing" is no operation/],
    [['fault', 'GET /x', 'explode'], /^linebook: effect .*answer, delay, cut, lose-answer/],
    [['script', '--polls', '0'], /^linebook: polls/],
    [['operation', 'search_x', 'failed'], /^linebook: error is needed/],
    [['resource', '--stock', '{'], /^linebook: --stock: that is not JSON/],
    [['resource', '--wallet', 'much'], /An amount and a currency/],
    [['clock', '--client-secret', 'wrong'], /^linebook: .*--client-secret/],
    [['clock', '--client-id', 'linebook-reader'], /^linebook: This needs the role ProvisioningAPI\.Admin/],
    [['clock', '--url', 'nowhere'], /^linebook: --url: "nowhere" is no address/],
    [['clock', '--url', 'http://127.0.0.1:9'], /^linebook: http:\/\/127\.0\.0\.1:9 can't be reached/],
  ])('%j ends with 1 and says what is wrong', async (args, message) => {
    const { code, stdout, stderr } = await run(...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
  })
})
