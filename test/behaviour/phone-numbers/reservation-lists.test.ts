import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestDatabase } from '../../fixtures/database.js'
import { reservationOf, RESERVATIONS, reserve } from '../../fixtures/reserving.js'
import { createTestService, type TestClient, type TestService, minutes, iso } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})

interface Page {
  reservations: { id: string; expiresAt: string; status: string }[]
  nextLink: string | null
}

const page = async (query = '') => (await buyer.send('GET', `${RESERVATIONS}${query}`)).json<Page>()
const follow = async (link: string | null) => (await buyer.send('GET', link as string, { version: null })).json<Page>()
const ids = ({ reservations }: Page) => reservations.map(({ id }) => id)

/** Makes so many reservations, a second apart, and returns their ids. */
async function reserveMany(count: number): Promise<string[]> {
  const made: string[] = []
  for (let i = 0; i < count; i++) {
    made.push((await reserve(buyer, [])).id)
    service.clock.advance(1_000)
  }
  return made
}

describe('the list of reservations', () => {
  it('has them without their numbers, expired and purchased ones too, those that end first first', async () => {
    const [e164] = (await enterStock(db, { count: 1 })) as [string]
    const first = await reserve(buyer, [])
    service.clock.advance(minutes(1))
    const second = await reserve(buyer, [e164])
    service.clock.advance(minutes(1))
    const third = await reserve(buyer, [])
    await first.patch()
    await second.purchase()
    service.clock.advance(minutes(15))
    expect(await page()).toEqual({
      reservations: [
        { id: second.id, expiresAt: iso(minutes(16)), status: 'completed' },
        ...[first.id, third.id].sort().map((id) => ({ id, expiresAt: iso(minutes(17)), status: 'expired' })),
      ],
      nextLink: null,
    })
  })

  it('comes in pages, whose links lead on from where they ended', async () => {
    const made = await reserveMany(5)
    const first = await page('?maxPageSize=2')
    expect(ids(first)).toEqual(made.slice(0, 2))
    expect(first.nextLink).toMatch(
      /^\/availablePhoneNumbers\/reservations\?api-version=2025-06-01&skip=2&maxPageSize=2&/,
    )
    const second = await follow(first.nextLink)
    const third = await follow(second.nextLink)
    expect([ids(second), ids(third), third.nextLink]).toEqual([made.slice(2, 4), made.slice(4), null])
  })

  it('misses none when others on the pages before are given up meanwhile', async () => {
    const made = await reserveMany(4)
    const first = await page('?maxPageSize=2')
    await reservationOf(buyer, made[0]).drop()
    expect(ids(await follow(first.nextLink))).toEqual(made.slice(2))
  })

  it('tells reservations apart that end at the same instant', async () => {
    const made = (await Promise.all(Array.from({ length: 5 }, () => reserve(buyer, [])))).map(({ id }) => id).sort()
    const seen: string[] = []
    let next: Page | undefined = await page('?maxPageSize=2')
    while (next) {
      seen.push(...ids(next))
      next = next.nextLink === null ? undefined : await follow(next.nextLink)
    }
    expect(seen).toEqual(made)
  })

  it('takes skip by itself, page sizes above 100 as 100, and has nothing behind its end', async () => {
    const made = await reserveMany(3)
    expect(ids(await page('?skip=2&maxPageSize=1000'))).toEqual(made.slice(2))
    expect(await page('?skip=999999999999999')).toEqual({ reservations: [], nextLink: null })
  })

  it.each([
    ['maxPageSize=0', 'maxpagesize'],
    ['maxPageSize=-1', 'maxpagesize'],
    ['maxPageSize=x', 'maxpagesize'],
    ['skip=-1', 'skip'],
    ['skip=1.5', 'skip'],
    ['after=x', 'after'],
    ['after=', 'after'],
    ['after=1_x', 'after'],
    ['after=9999999999999999_378ddf60-81be-452a-ba4f-613198ea6c28', 'after'],
    ['after=1%00378ddf60-81be-452a-ba4f-613198ea6c28', 'after'],
  ])('refuses %s', async (query, target) => {
    const answer = await buyer.send('GET', `${RESERVATIONS}?${query}`)
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput', target } }])
  })
})
