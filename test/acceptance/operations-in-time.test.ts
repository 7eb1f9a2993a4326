import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { aSearch, buy, connect, owned, quickly, search } from './clients.js'
import { signedFetch, type Answer } from './signed-fetch.js'

/** Long enough to meet every status on a busy machine. */
const DELAY_MS = 1_000
const POLL_INTERVAL_MS = 40

/** All at once, because each mostly waits. Again when the machine stood still for as long as a status lasts. */
describe.concurrent('operations that take their time', { retry: 2 }, () => {
  let linebook: Linebook
  let client: PhoneNumbersClient

  beforeAll(async () => {
    const delays = ['search', 'purchase', 'release', 'capabilities'].flatMap((kind) => [
      `--${kind}-delay-ms`,
      String(DELAY_MS),
    ])
    linebook = await startLinebook({ flags: ['--in-memory', ...delays] })
    client = connect(linebook)
    // The first request of a connection and of a process takes longest; it shall not be one whose status counts.
    await owned(client)
  })
  afterAll(() => linebook?.stop())

  const send = (method: string, target: string, body?: unknown) =>
    signedFetch(linebook, target, { method, ...(body !== undefined && { body }) })
  const startSearch = () => {
    const { countryCode, ...body } = aSearch()
    return send('POST', `/availablePhoneNumbers/countries/${countryCode}/:search`, body)
  }
  const startPurchase = (searchId: string) => send('POST', '/availablePhoneNumbers/:purchase', { searchId })

  /** Polls until the operation has ended; `look` is called at each poll, with the status that was just read. */
  async function follow(started: Answer, look: (status: string) => Promise<void> | void = () => {}): Promise<string[]> {
    expect(started.status).toBe(202)
    const link = started.headers['operation-location'] as string
    const statuses: string[] = []
    for (;;) {
      const { status } = (await send('GET', link)).body as { status: string }
      if (statuses.at(-1) !== status) statuses.push(status)
      await look(status)
      if (status !== 'notStarted' && status !== 'running') return statuses
      await delay(POLL_INTERVAL_MS)
    }
  }

  it('a search has not started, then runs, then succeeds, and has no result before', async () => {
    const started = await startSearch()
    expect(started.text).toBe('')
    const seen = new Map<string, number>()
    const statuses = await follow(started, async (status) => {
      const result = await send('GET', started.headers.location as string)
      if (status === 'succeeded' || !seen.has(status)) seen.set(status, result.status)
    })
    expect(statuses).toEqual(['notStarted', 'running', 'succeeded'])
    expect([...seen]).toEqual([
      ['notStarted', 404],
      ['running', 404],
      ['succeeded', 200],
    ])
  })

  it('a search that still runs cannot be purchased', async () => {
    const started = await startSearch()
    const refused = await startPurchase(started.headers['search-id'] as string)
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'BadRequest' } } })
    expect(await follow(started)).toContain('succeeded')
  })

  it('a purchase has not started, then runs, then succeeds, and owns nothing before', async () => {
    const { searchId, phoneNumbers } = await search(client)
    const number = phoneNumbers[0] as string
    const seen = new Map<string, number>()
    const statuses = await follow(await startPurchase(searchId), async (status) => {
      const { status: read } = await send('GET', `/phoneNumbers/${number}`)
      if (status === 'succeeded' || !seen.has(status)) seen.set(status, read)
    })
    expect(statuses).toEqual(['notStarted', 'running', 'succeeded'])
    expect([...seen]).toEqual([
      ['notStarted', 404],
      ['running', 404],
      ['succeeded', 200],
    ])
  })

  it('a purchase asked for again while it runs is the same operation', async () => {
    const { searchId } = await search(client)
    const first = await startPurchase(searchId)
    const second = await startPurchase(searchId)
    expect(second.status).toBe(202)
    expect(second.headers['operation-id']).toBe(first.headers['operation-id'])
    expect(await follow(second)).toContain('succeeded')
  })

  it('capabilities stay as they were until their change has succeeded', async () => {
    const [number] = await buy(client, { capabilities: { calling: 'inbound', sms: 'none' } })
    const started = await send('PATCH', `/phoneNumbers/${number}/capabilities`, { calling: 'inbound+outbound' })
    const seen = new Map<string, string>()
    const statuses = await follow(started, async (status) => {
      const { calling } = (await client.getPurchasedPhoneNumber(number)).capabilities
      if (status === 'succeeded' || !seen.has(status)) seen.set(status, calling)
    })
    expect(statuses).toEqual(['notStarted', 'running', 'succeeded'])
    expect([...seen]).toEqual([
      ['notStarted', 'inbound'],
      ['running', 'inbound'],
      ['succeeded', 'inbound+outbound'],
    ])
  })

  it('a number that is being released is still owned, cannot be released again, and is gone afterwards', async () => {
    const [number] = await buy(client)
    const started = await send('DELETE', `/phoneNumbers/${number}`)
    const again = await send('DELETE', `/phoneNumbers/${number}`)
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'Conflict', target: 'phonenumber' } } })
    expect((await send('GET', `/phoneNumbers/${number}`)).status).toBe(200)

    expect(await follow(started)).toEqual(['notStarted', 'running', 'succeeded'])
    expect((await send('GET', `/phoneNumbers/${number}`)).status).toBe(404)
  })

  it('capabilities of a number that is being released cannot be changed', async () => {
    const [number] = await buy(client)
    const started = await send('DELETE', `/phoneNumbers/${number}`)
    await expect(client.beginUpdatePhoneNumberCapabilities(number, { calling: 'outbound' })).rejects.toMatchObject({
      statusCode: 409,
      code: 'Conflict',
    })
    await follow(started)
  })

  it("the official client's poller waits for the end", async () => {
    const before = performance.now()
    const poller = await client.beginSearchAvailablePhoneNumbers(aSearch(), quickly)
    expect(poller.isDone()).toBe(false)
    expect((await poller.pollUntilDone()).phoneNumbers).toHaveLength(1)
    expect(performance.now() - before).toBeGreaterThanOrEqual(DELAY_MS)
  })

  it('a search that is canceled while it runs fails, and finds nothing', async () => {
    const started = await startSearch()
    const link = started.headers['operation-location'] as string
    expect((await send('DELETE', link)).status).toBe(204)
    expect((await send('GET', link)).body).toMatchObject({ status: 'failed', error: { code: 'OperationCanceled' } })
  })
})
