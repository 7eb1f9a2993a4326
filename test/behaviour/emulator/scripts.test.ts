/** Scripted operations, and operations that are moved on by hand. */
import { describe, expect } from 'vitest'
import { aSearch, buyOne, PURCHASE, search, US } from '../../fixtures/buying.js'
import { anEmulator, type Emulator } from '../../fixtures/emulator.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

it.beforeEach(({ db }) => enterStock(db, { count: 10 }))

describe('a script', () => {
  it('has operations end after so many polls', async ({ service, buyer, emulator }) => {
    await script(emulator, { operation: 'search', polls: 3 })
    const id = await beginSearch(service, buyer)
    const seen = [await statusOf(buyer, id), await statusOf(buyer, id), await statusOf(buyer, id)]
    expect(seen.at(-1)).toBe('succeeded')
    expect(seen.slice(0, -1)).not.toContain('succeeded')
  })

  it('has operations end after a time', async ({ service, buyer, emulator }) => {
    await script(emulator, { operation: 'search', after: 'PT5M' })
    const id = await beginSearch(service, buyer)
    expect(await statusOf(buyer, id)).toBe('notStarted')
    await emulator.send('POST', '/clock', { advance: 'PT3M' })
    expect(await statusOf(buyer, id)).toBe('running')
    await emulator.send('POST', '/clock', { advance: 'PT2M' })
    expect(await statusOf(buyer, id)).toBe('succeeded')
  })

  it('has operations wait for a person', async ({ service, buyer, emulator }) => {
    await script(emulator, { operation: 'search', byHand: true })
    const id = await beginSearch(service, buyer)
    await emulator.send('POST', '/clock', { advance: 'PT5M' })
    expect(await statusOf(buyer, id)).toBe('notStarted')
    expect((await move(emulator, id, { status: 'running' })).status).toBe(200)
    expect(await statusOf(buyer, id)).toBe('running')
    expect((await move(emulator, id, { status: 'succeeded' })).body).toEqual({
      id,
      resource: 'buyer',
      status: 'succeeded',
    })
    expect(await statusOf(buyer, id)).toBe('succeeded')
  })

  it('has operations fail, with a published error or with one of its own', async ({ service, buyer, emulator }) => {
    await script(emulator, { operation: 'purchase', times: 1, failure: { code: 'NotEnoughCredit' } })
    await script(emulator, {
      operation: 'purchase',
      times: 1,
      failure: { code: 'OutOfPaper', message: 'The printer is empty.' },
    })
    for (const [code, message] of [
      ['NotEnoughCredit', expect.any(String) as string],
      ['OutOfPaper', 'The printer is empty.'],
    ]) {
      service.clock.advance(1_000)
      const { searchId } = await search(buyer)
      const answer = await buyer.send('POST', PURCHASE, { body: { searchId } })
      const { status, error } = await operation(answer.headers['operation-id'] as string, buyer)
      expect({ status, error }).toMatchObject({ status: 'failed', error: { code, message } })
    }
    service.clock.advance(1_000)
    expect(await buyOne(buyer)).toMatch(/^\+1206/)
  })

  it('is for one kind, one resource and so many operations', async ({ service, buyer, emulator }) => {
    const other = await service.client('other')
    await script(emulator, { operation: 'search', resource: 'other', times: 1, byHand: true })
    expect(await statusOf(buyer, await beginSearch(service, buyer))).toBe('succeeded')
    expect((await operation(await beginSearch(service, other), other)).status).toBe('notStarted')
    expect((await operation(await beginSearch(service, other), other)).status).toBe('succeeded')
    expect((await emulator.send('GET', '/scripts')).body).toMatchObject({ scripts: [{ times: 1, left: 0 }] })
  })

  it('comes before the settings, and before scripts that were given later', async ({ db }) => {
    const slow = await createTestService(db, { LINEBOOK_SEARCH_DELAY_MS: '60000' })
    const its = await anEmulator(slow)
    const client = await slow.client()
    await enterStock(db)
    await its.send('PUT', '/scripts', { scripts: [{ times: 1 }, { byHand: true }] })
    const first = await client.send('POST', `${US}/:search`, { body: aSearch() })
    const id = first.headers['operation-id'] as string
    expect((await client.send('GET', `/phoneNumbers/operations/${id}`)).json()).toMatchObject({ status: 'succeeded' })
    await slow.close()
  })

  it('is there again after a restart', async ({ db, service, buyer, emulator }) => {
    await script(emulator, { operation: 'search', times: 2, byHand: true })
    await beginSearch(service, buyer)
    await service.wiring.controls?.flush()
    const restarted = service.replicaOn(db)
    await restarted.server.ready()
    const again = await anEmulator({ ...service, server: restarted.server })
    expect((await again.send('GET', '/scripts')).body).toMatchObject({ scripts: [{ times: 2, left: 1 }] })
    await restarted.close()
  })

  it('is ended by its id, or with all others', async ({ emulator }) => {
    const { id } = (await script(emulator, { byHand: true })).body
    await script(emulator, { after: 5 })
    expect((await emulator.send('DELETE', `/scripts/${id}`)).status).toBe(204)
    expect((await emulator.send('DELETE', `/scripts/${id}`)).status).toBe(404)
    expect((await emulator.send('GET', '/scripts')).body).toMatchObject({ scripts: [{ afterMs: 5 }] })
    expect((await emulator.send('DELETE', '/scripts')).status).toBe(204)
    expect((await emulator.send('GET', '/scripts')).body).toEqual({ scripts: [] })
  })

  it.for([
    ['POST', { operation: 'buy' }, /operation.*search, purchase/],
    ['POST', { polls: 0 }, /polls/],
    ['POST', { polls: 2, byHand: true }, /one of these/],
    ['POST', { after: 'soon' }, /milliseconds.*ISO 8601/],
    ['POST', { after: 'P1M' }, /ISO 8601/],
    ['POST', { after: 'P31D' }, /at most 30 days/],
    ['POST', { byHand: false }, /byHand/],
    ['POST', { times: 0 }, /times/],
    ['POST', { failure: { code: 'Own' } }, /give a message with it\. Those are OutOfStock/],
    ['POST', { failure: { code: 'no code', message: 'x' } }, /code/],
    ['POST', { wait: 5 }, /wait/],
    ['PUT', { scripts: [{}, { polls: 'x' }] }, /scripts\.1\.polls/],
    ['PUT', { scripts: [{}, { failure: { code: 'Own' } }] }, /scripts\.1\.failure/],
    ['PUT', [], /object/],
    ['PUT', 'nothing', /not JSON/],
  ] as const)('is refused where it is not one: %s %j', async ([method, body, message], { emulator }) => {
    const { status, body: answer } = await emulator.send(method, '/scripts', body)
    expect(status).toBe(400)
    expect(JSON.stringify(answer)).toMatch(message)
    expect((await emulator.send('GET', '/scripts')).body).toEqual({ scripts: [] })
  })

  it('is one of two hundred at most; what is used up makes room', async ({ service, buyer, emulator }) => {
    await emulator.send('PUT', '/scripts', {
      scripts: Array.from({ length: 200 }, (_, index) => ({ times: 1, ...(index > 0 && { resource: 'nobody' }) })),
    })
    expect((await script(emulator, {})).status).toBe(409)
    await beginSearch(service, buyer)
    expect((await script(emulator, {})).status).toBe(201)
  })
})

describe('a pending operation', () => {
  it('is listed with what it waits for, until it has ended', async ({ service, buyer, emulator }) => {
    await emulator.send('PUT', '/scripts', {
      scripts: [{ times: 1, byHand: true }, { times: 1, polls: 4 }, { after: 9_000 }],
    })
    const ids = [
      await beginSearch(service, buyer),
      await beginSearch(service, buyer),
      await beginSearch(service, buyer),
    ]
    const { operations } = (await emulator.send<{ operations: object[] }>('GET', '/operations')).body
    expect(operations).toMatchObject([
      { id: ids[0], resource: 'buyer', kind: 'search', waitsFor: 'hand', dueAt: null, pollsLeft: null },
      { id: ids[1], waitsFor: 'polls', pollsLeft: 4, dueAt: null },
      { id: ids[2], waitsFor: 'time', pollsLeft: null, dueAt: expect.any(String) as string },
    ])
    await move(emulator, ids[2] as string, { status: 'succeeded' })
    expect((await emulator.send('GET', '/operations?resource=buyer')).body['operations']).toHaveLength(2)
    expect((await emulator.send('GET', '/operations?resource=other')).body['operations']).toEqual([])
  })

  it('fails by hand, with the error that is given', async ({ service, buyer, emulator }) => {
    await script(emulator, { byHand: true })
    const id = await beginSearch(service, buyer)
    expect((await move(emulator, id, { status: 'failed', error: { code: 'Own', message: 'No.' } })).status).toBe(200)
    expect(await operation(id, buyer)).toMatchObject({ status: 'failed', error: { code: 'Own', message: 'No.' } })
  })

  it.for([
    ['search_unknown', { status: 'running' }, 404, /is pending; GET \/_emulator\/operations/],
    ['%00', { status: 'running' }, 404, /is pending/],
    ['ID', { status: 'done' }, 400, /running, succeeded, failed/],
    ['ID', {}, 400, /status/],
    ['ID', { status: 'failed' }, 400, /error is needed/],
    ['ID', { status: 'running', error: { code: 'OutOfStock' } }, 400, /only goes with failed/],
    ['ID?resource=nobody', { status: 'running' }, 404, /of nobody is pending/],
    ['ID?resource=%00', { status: 'running' }, 400, /resource/],
    ['ID?whose=buyer', { status: 'running' }, 400, /whose is not known here/],
  ] as const)('is not moved by %s %j', async ([path, body, status, message], { service, buyer, emulator }) => {
    await script(emulator, { byHand: true })
    const id = await beginSearch(service, buyer)
    const answer = await emulator.send('POST', `/operations/${path.replace('ID', id)}`, body)
    expect(answer.status).toBe(status)
    expect(JSON.stringify(answer.body)).toMatch(message)
    expect(await statusOf(buyer, id)).toBe('notStarted')
  })

  it('that has ended is not moved any more', async ({ service, buyer, emulator }) => {
    const id = await beginSearch(service, buyer)
    expect((await move(emulator, id, { status: 'succeeded' })).status).toBe(404)
  })
})

const script = (emulator: Emulator, body: object) => emulator.send<{ id: string }>('POST', '/scripts', body)
/** Requests of the same second that are alike are one request. */
const beginSearch = async (service: TestService, client: TestClient): Promise<string> => {
  service.clock.advance(1_000)
  const answer = await client.send('POST', `${US}/:search`, { body: aSearch() })
  expect(answer.statusCode).toBe(202)
  return answer.headers['operation-id'] as string
}
const operation = async (id: string, client: TestClient) =>
  (await client.send('GET', `/phoneNumbers/operations/${id}`)).json<{
    status: string
    error?: { code: string; message: string }
  }>()
const statusOf = async (buyer: TestClient, id: string) => (await operation(id, buyer)).status
const move = (emulator: Emulator, id: string, body: unknown, query = '') =>
  emulator.send('POST', `/operations/${id}${query}`, body)
