/** Promised work of every resource, through the Operator API. */
import { afterAll, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { PURCHASE, search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf } from '../../fixtures/operator-api.js'
import { createTestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

interface Page {
  items: { kind: string; resource: string; status: string; endedAt: string | null }[]
  next: string | null
}

it('lists operations, pending ones first, then those that ended, by status, kind and resource', async () => {
  const service = await createTestService(db)
  await enterStock(db, { count: 5 })
  const [one, two] = [await service.client('one'), await service.client('two')]
  await search(two)
  service.clock.advance(1_000)
  const { searchId } = await search(one)
  service.clock.advance(1_000)
  await one.send('POST', PURCHASE, { body: { searchId } })
  const api = await operatorApiOf(service, 'Read')
  const listed = async (query: string): Promise<string[]> => {
    const seen: string[] = []
    for (let next: string | null = ''; next !== null;) {
      const answer = await api.get(`/operations?${query}${next && `&cursor=${next}`}`)
      expect(answer.statusCode, answer.body).toBe(200)
      const page: Page = answer.json()
      seen.push(...page.items.map(({ resource, kind, status }) => `${resource} ${kind} ${status}`))
      next = page.next
    }
    return seen
  }
  const all = ['one purchase succeeded', 'one search succeeded', 'two search succeeded']
  expect(await listed('')).toEqual(all)
  expect(await listed('limit=1')).toEqual(all)
  expect(await listed('kind=search')).toEqual(all.slice(1))
  expect(await listed('resource=two')).toEqual(['two search succeeded'])
  expect(await listed('status=pending')).toEqual([])
  await db.query(sql`update operation set status = 'pending', ended_at = null where kind = 'purchase'`)
  expect(await listed('limit=1')).toEqual(['one purchase pending', ...all.slice(1)])
  expect(await listed('status=pending')).toEqual(['one purchase pending'])
  expect(await listed('status=succeeded')).toEqual(all.slice(1))
  const csv = await api.get('/operations', { accept: 'text/csv' })
  expect(csv.body.split('\r\n')).toHaveLength(5)
})
