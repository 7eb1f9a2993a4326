/** Operations that take their time, by the clock of the emulator: the test moves it, so no status goes by unseen. */
import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { aSearch, connect, quickly } from './clients.js'
import { signedFetch, type Answer } from './signed-fetch.js'

/** Far longer than the machine may stand still; a purchase, too, must come within the hold of its search. */
const DELAY_MS = 6 * 60_000
/** Two of these end what one of them has running. */
const MORE_THAN_HALF_MS = 4 * 60_000

describe('operations that take their time', () => {
  let linebook: Linebook
  let client: PhoneNumbersClient

  beforeAll(async () => {
    const delays = ['search', 'purchase', 'release', 'capabilities'].flatMap((kind) => [
      `--${kind}-delay-ms`,
      String(DELAY_MS),
    ])
    linebook = await startLinebook({ flags: ['--in-memory', ...delays] })
    client = connect(linebook)
  })
  afterAll(() => linebook?.stop())

  async function emulator(path: string, body: object): Promise<void> {
    const answer = await fetch(`${linebook.httpUrl}/_emulator${path}`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa('linebook-admin:linebook-standin')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
  }
  const advance = () => emulator('/clock', { advance: MORE_THAN_HALF_MS })

  const send = (method: string, target: string, body?: unknown) =>
    signedFetch(linebook, target, { method, ...(body !== undefined && { body }) })
  const startSearch = () => {
    const { countryCode, ...body } = aSearch()
    return send('POST', `/availablePhoneNumbers/countries/${countryCode}/:search`, body)
  }
  const startPurchase = (searchId: string) => send('POST', '/availablePhoneNumbers/:purchase', { searchId })

  const STATUSES = ['notStarted', 'running', 'succeeded']
  /** Reads the status of an operation, moves the clock on, and so on to its end; `look` is called at each status. */
  async function follow(started: Answer, look: () => Promise<void> = async () => {}): Promise<string[]> {
    expect(started.status).toBe(202)
    const statuses: string[] = []
    while (statuses.length < STATUSES.length) {
      if (statuses.length > 0) await advance()
      const { status } = (await send('GET', started.headers['operation-location'] as string)).body as { status: string }
      statuses.push(status)
      await look()
    }
    return statuses
  }

  async function search(): Promise<{ searchId: string; phoneNumbers: [string] }> {
    const started = await startSearch()
    expect(await follow(started)).toEqual(STATUSES)
    return (await send('GET', started.headers.location as string)).body as { searchId: string; phoneNumbers: [string] }
  }
  async function buy(): Promise<string> {
    const { searchId, phoneNumbers } = await search()
    expect(await follow(await startPurchase(searchId))).toEqual(STATUSES)
    return phoneNumbers[0]
  }

  it('a search has not started, then runs, then succeeds, and has no result before', async () => {
    const started = await startSearch()
    expect(started.text).toBe('')
    const seen: number[] = []
    const statuses = await follow(started, async () => {
      seen.push((await send('GET', started.headers.location as string)).status)
    })
    expect(statuses).toEqual(STATUSES)
    expect(seen).toEqual([404, 404, 200])
  })

  it('a search that still runs cannot be purchased', async () => {
    const started = await startSearch()
    const refused = await startPurchase(started.headers['search-id'] as string)
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'BadRequest' } } })
    expect(await follow(started)).toEqual(STATUSES)
  })

  it('a purchase has not started, then runs, then succeeds, and owns nothing before', async () => {
    const { searchId, phoneNumbers } = await search()
    const seen: number[] = []
    const statuses = await follow(await startPurchase(searchId), async () => {
      seen.push((await send('GET', `/phoneNumbers/${phoneNumbers[0]}`)).status)
    })
    expect(statuses).toEqual(STATUSES)
    expect(seen).toEqual([404, 404, 200])
  })

  it('a purchase asked for again while it runs is the same operation', async () => {
    const { searchId } = await search()
    const first = await startPurchase(searchId)
    const second = await startPurchase(searchId)
    expect(second.status).toBe(202)
    expect(second.headers['operation-id']).toBe(first.headers['operation-id'])
    expect(await follow(second)).toEqual(STATUSES)
  })

  it('capabilities stay as they were until their change has succeeded', async () => {
    const number = await buy()
    const started = await send('PATCH', `/phoneNumbers/${number}/capabilities`, { calling: 'inbound+outbound' })
    const seen: string[] = []
    const statuses = await follow(started, async () => {
      seen.push((await client.getPurchasedPhoneNumber(number)).capabilities.calling)
    })
    expect(statuses).toEqual(STATUSES)
    expect(seen).toEqual(['inbound', 'inbound', 'inbound+outbound'])
  })

  it('a number that is being released is still owned, cannot be released again, and is gone afterwards', async () => {
    const number = await buy()
    const started = await send('DELETE', `/phoneNumbers/${number}`)
    const again = await send('DELETE', `/phoneNumbers/${number}`)
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'Conflict', target: 'phonenumber' } } })
    expect((await send('GET', `/phoneNumbers/${number}`)).status).toBe(200)

    expect(await follow(started)).toEqual(STATUSES)
    expect((await send('GET', `/phoneNumbers/${number}`)).status).toBe(404)
  })

  it('capabilities of a number that is being released cannot be changed', async () => {
    const number = await buy()
    const started = await send('DELETE', `/phoneNumbers/${number}`)
    await expect(client.beginUpdatePhoneNumberCapabilities(number, { calling: 'outbound' })).rejects.toMatchObject({
      statusCode: 409,
      code: 'Conflict',
    })
    await follow(started)
  })

  it("the official client's poller waits for the end, which comes by itself", async () => {
    const poller = await client.beginSearchAvailablePhoneNumbers(aSearch(), quickly)
    await poller.poll()
    expect(poller.isDone()).toBe(false)
    const done = poller.pollUntilDone()
    await advance()
    await advance()
    expect((await done).phoneNumbers).toHaveLength(1)

    await emulator('/scripts', { operation: 'search', after: 100, times: 1 })
    const other = await client.beginSearchAvailablePhoneNumbers(aSearch(), quickly)
    expect((await other.pollUntilDone()).phoneNumbers).toHaveLength(1)
  })

  it('a search that is canceled while it runs fails, and finds nothing', async () => {
    const started = await startSearch()
    const link = started.headers['operation-location'] as string
    expect((await send('DELETE', link)).status).toBe(204)
    expect((await send('GET', link)).body).toMatchObject({ status: 'failed', error: { code: 'OperationCanceled' } })
  })
})
