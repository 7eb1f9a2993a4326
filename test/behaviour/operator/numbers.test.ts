/** The ledger through the Operator API. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { later } from '../../../src/clock.js'
import { sql } from '../../../src/db/db.js'
import { operatorConnect } from '../../fixtures/accounts.js'
import { search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator } from '../../fixtures/operator.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createTestService, TEST_START, type TestService } from '../../fixtures/service.js'
import { enterStock, tollFree } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let service: TestService
let api: OperatorApi
beforeEach(async () => {
  service = await createTestService(db)
  api = await operatorApiOf(service, 'Read')
})

interface Page {
  items: { e164: string; state: string; changedAt: string }[]
  next: string | null
  count?: { value: number; exact: boolean }
}
async function numbers(query = ''): Promise<string[]> {
  const answer = await api.get(`/numbers${query}`)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<Page>().items.map(({ e164 }) => e164)
}

async function onAccount(...e164s: string[]): Promise<void> {
  const operator = await anOperator(service)
  const base = '/accounts/contoso'
  await operator.put(base, { serviceDetails: operatorConnect() })
  for (const e164 of e164s) {
    const answer = await operator.put(`${base}/numbers/${encodeURIComponent(e164)}`, {
      serviceDetails: { teamsOperatorConnect: { enabled: true } },
    })
    expect(answer.statusCode, answer.body).toBeLessThan(300)
  }
}

describe('a number', () => {
  it('is found in every form in which people and links write it', async () => {
    await enterStock(db, { count: 1 })
    const forms = ['+12065550100', '%2B12065550100', '12065550100', '%2012065550100', '+1%20(206)%20555-0100']
    for (const form of [...forms, '0012065550100', '1.206.555.0100']) {
      const answer = await api.get(`/numbers/${form}`)
      expect(answer.statusCode, form).toBe(200)
      expect(answer.json()).toMatchObject({
        e164: '+12065550100',
        state: 'available',
        freeAt: null,
        pool: null,
        countryCode: 'US',
        numberType: 'geographic',
        areaCode: '206',
        locality: 'Seattle',
        administrativeDivision: 'WA',
        resource: null,
        account: null,
        services: [],
        syncStatus: null,
        purchase: null,
      })
    }
  })

  it('is not another that only begins alike, and is refused when it is none', async () => {
    await enterStock(db, { count: 1 })
    for (const path of ['/numbers/1206555010', '/numbers/+12065550199', '/numbers/+12065550199/timeline']) {
      const answer = await api.get(path)
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toMatchObject({ code: 'number-not-found' })
    }
    const answer = await api.get('/numbers/call-me')
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ in: 'path', pointer: '/e164' }] })
  })

  it('tells its timeline', async () => {
    await enterStock(db, { count: 1 })
    const answer = await api.get('/numbers/12065550100/timeline')
    expect(answer.json()).toMatchObject({
      e164: '+12065550100',
      ledger: { state: 'available', place: { locality: 'Seattle' } },
      entries: [{ kind: 'history', event: 'enter', actor: 'operator' }],
      cut: false,
    })
  })

  it('counts as available from the instant its hold is over', async () => {
    await enterStock(db, { count: 1 })
    await search(await service.client('buyer'))
    expect((await api.get('/numbers/12065550100')).json()).toMatchObject({ state: 'held', resource: 'buyer' })
    expect(await numbers('?state=held&resource=buyer')).toHaveLength(1)
    service.clock.advance(24 * 60 * 60_000)
    api = await operatorApiOf(service, 'Read')
    expect((await api.get('/numbers/12065550100')).json()).toMatchObject({
      state: 'available',
      freeAt: null,
      resource: null,
    })
    expect(await numbers('?state=held')).toEqual([])
    expect(await numbers('?resource=buyer')).toEqual([])
    expect(await numbers('?state=available&state=owned')).toHaveLength(1)
  })
})

describe('the list of numbers', () => {
  it('has what matches every filter, in the order of numbers', async () => {
    const local = await enterStock(db, { count: 3 })
    const free = await enterStock(db, { from: '+18885550100', count: 2, place: tollFree })
    expect(await numbers()).toEqual([...local, ...free])
    expect(await numbers('?numberType=tollFree')).toEqual(free)
    expect(await numbers('?areaCode=206&locality=SEATTLE&countryCode=us')).toEqual(local)
    expect(await numbers('?areaCode=206&areaCode=888')).toEqual([...local, ...free])
    expect(await numbers('?areaCode=206&numberType=tollFree')).toEqual([])
    expect(await numbers('?prefix=1888')).toEqual(free)
    expect(await numbers('?q=+1%20(206)%20555-0102')).toEqual([local[2]])
    expect(await numbers('?q=0012065550101')).toEqual([local[1]])
    expect(await numbers('?account=nobody')).toEqual([])
  })

  it('finds what changed since a time', async () => {
    const [first, second] = await enterStock(db, { count: 2 })
    await db.query(sql`update number_history set at = ${TEST_START}`)
    await db.query(sql`update number_history set at = ${later(TEST_START, 1_000)} where e164 = ${second}`)
    expect(await numbers(`?changedSince=${TEST_START.toISOString()}`)).toEqual([first, second])
    expect(await numbers(`?changedSince=${later(TEST_START, 1).toISOString()}`)).toEqual([second])
  })

  it('finds those of an account, and by how they stand with its services', async () => {
    const [first, second] = (await enterStock(db, { count: 3 })) as [string, string, string]
    await onAccount(first, second)
    expect(await numbers('?account=contoso')).toEqual([first, second])
    expect(await numbers('?account=contoso&limit=1')).toEqual([first])
    expect(await numbers('?syncStatus=pending&service=oc')).toEqual([first, second])
    // As if the backend had taken the first and refused the second.
    await db.query(sql`
      update sync set pending_since = null, confirmed_generation = generation where kind = 'number' and key = ${first}`)
    await db.query(sql`
      update sync set pending_since = null, refusal = '[{"code": "NoPlan", "message": "There is no plan."}]'
      where kind = 'number' and key = ${second}`)
    expect(await numbers('?syncStatus=pending')).toEqual([])
    expect(await numbers('?syncStatus=synced&service=oc')).toEqual([first])
    expect(await numbers('?syncStatus=synced&syncStatus=failed&account=contoso')).toEqual([first, second])
    expect(await numbers('?service=dr')).toEqual([])
    expect((await api.get(`/numbers/${first}`)).json()).toMatchObject({
      state: 'assigned',
      account: 'contoso',
      services: ['teamsOperatorConnect'],
      syncStatus: 'synced',
    })
  })

  it('goes on from page to page, and counts', async () => {
    const all = await enterStock(db, { count: 5 })
    const seen: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const page: Page = (await api.get(`/numbers?limit=2&count=true${next && `&cursor=${next}`}`)).json()
      expect(page.count).toEqual({ value: 5, exact: true })
      seen.push(...page.items.map(({ e164 }) => e164))
      next = page.next
    }
    expect(seen).toEqual(all)
  })

  it('ends a page where it has examined enough, and goes on from there', async () => {
    await enterStock(db, { from: '+12065550000', count: 10_000 })
    const [wanted] = await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })
    const first: Page = (await api.get('/numbers?numberType=tollFree&count=true')).json()
    expect(first).toMatchObject({ items: [], count: { value: 0, exact: false } })
    expect(first.next).not.toBeNull()
    const second: Page = (await api.get(`/numbers?numberType=tollFree&cursor=${first.next}`)).json()
    expect(second).toMatchObject({ items: [{ e164: wanted }], next: null })
    const csv = await api.get('/numbers?numberType=tollFree', { accept: 'text/csv' })
    expect(csv.body.split('\r\n')[1]).toMatch(/^\+18885550100,available,,,US,tollFree,888,/)
  })

  it('refuses filters that make no sense', async () => {
    for (const query of ['?state=lost', '?q=abc', '?prefix=0', '?changedSince=yesterday', '?color=red']) {
      const answer = await api.get(`/numbers${query}`)
      expect(answer.statusCode, query).toBe(400)
      expect(answer.json()).toMatchObject({ code: 'invalid-input', errors: [{ in: 'query' }] })
    }
  })
})
