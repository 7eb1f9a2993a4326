/** What an operator lets a resource buy, as its searches and purchases meet it. */
import { describe, expect } from 'vitest'
import { saveAddress, saveTerms } from '../../../src/buyers/store.js'
import { sql, type Db } from '../../../src/db/db.js'
import { retire } from '../../../src/ledger/commands.js'
import { readCatalogue } from '../../../src/phone-numbers/model/catalogue.js'
import { operationsTask } from '../../../src/workers/operations.js'
import { aSearch, buy, PURCHASE, search, US } from '../../fixtures/buying.js'
import { anOffering, writeCatalogue, type OfferingInFile } from '../../fixtures/catalogue.js'
import { countIn, expectPurchaseFails, expectSearchFails, operation, searchResult } from '../../fixtures/failing.js'
import { createTestService, TEST_START, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock, seattle } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const STOCK = 10

const denied = { error: 'AuthorizationDenied', errorCode: 1001 }

describe('a resource that is not entitled to an offering', () => {
  it('finds none of it, and is told what it may buy', async ({ db }) => {
    const { buyer } = await aService(db)
    await saveTerms(db, 'buyer', { entitledTo: ['US:tollFree', 'IE'] })
    await expectSearchFails(buyer, db, {
      ...denied,
      says: 'geographic numbers of US',
      details: 'US:tollFree, IE',
    })
  })

  it('finds and buys what it is entitled to', async ({ db }) => {
    const { buyer } = await aService(db)
    await saveTerms(db, 'buyer', { entitledTo: ['US:geographic:application'] })
    expect(await buy(buyer, 2)).toHaveLength(2)
  })

  it('can not purchase what it found before it lost that', async ({ db }) => {
    const { buyer } = await aService(db)
    const { searchId } = await search(buyer, { quantity: 2 })
    await saveTerms(db, 'buyer', { entitledTo: [] })
    await expectPurchaseFails(buyer, db, searchId, { ...denied, details: 'nothing' })
    expect(await countIn(db, 'available')).toBe(STOCK)
  })

  it('is refused by a search with a delay too, when its time has come', async ({ db }) => {
    const { service, buyer } = await aService(db, { LINEBOOK_SEARCH_DELAY_MS: '1000' })
    const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch() })
    await saveTerms(db, 'buyer', { entitledTo: ['IE'] })
    service.clock.advance(1_000)
    await service.task(operationsTask).runOnce()
    const id = answer.headers['operation-id'] as string
    expect(await operation(buyer, id)).toMatchObject({ status: 'failed', error: { code: 'AuthorizationDenied' } })
  })
})

describe('an offering that needs an address', () => {
  const missing = { error: 'MissingAddress', errorCode: 1002 }
  const invalid = { error: 'InvalidAddress', errorCode: 1003 }
  const address = { line: '1 Main Street', city: 'Seattle', postalCode: '98101', state: 'WA' }

  it('is not sold to a resource without one', async ({ db }) => {
    const { buyer } = await selling(db, { isAddressRequired: true })
    await expectSearchFails(buyer, db, { ...missing, details: 'linebook resource address buyer US' })
    await saveAddress(db, 'buyer', 'IE', address)
    await expectSearchFails(buyer, db, missing)
  })

  it('is not sold to one whose address is not valid in the country, and what is wrong with it is told', async ({
    db,
  }) => {
    const { buyer } = await selling(db, { isAddressRequired: true })
    await saveAddress(db, 'buyer', 'US', { ...address, postalCode: 'D02 X285' })
    await expectSearchFails(buyer, db, { ...invalid, says: '"D02 X285" is not a postal code of US' })
  })

  it('is sold to one that has one', async ({ db }) => {
    const { buyer } = await selling(db, { isAddressRequired: true })
    await saveAddress(db, 'buyer', 'US', address)
    expect(await buy(buyer)).toHaveLength(1)
  })

  it('is not sold any more when the address went or turned bad between search and purchase', async ({ db }) => {
    const { buyer } = await selling(db, { isAddressRequired: true })
    await saveAddress(db, 'buyer', 'US', address)
    const [first, second] = [await search(buyer), await search(buyer)]
    await saveAddress(db, 'buyer', 'US', { ...address, state: '' })
    const held = await countIn(db, 'held')
    const answer = await buyer.send('POST', PURCHASE, { body: { searchId: first.searchId } })
    expect(answer.statusCode).toBe(202)
    expect(await searchResult(buyer, first.searchId)).toMatchObject({ error: 'InvalidAddress', errorCode: 1003 })
    expect(await countIn(db, 'held')).toBe(held - 1)
    await saveAddress(db, 'buyer', 'US', null)
    await expectPurchaseFails(buyer, db, second.searchId, missing)
  })
})

describe('an offering that is withdrawn', () => {
  const withdrawn = { error: 'InvalidOfferModel', errorCode: 1004 }

  it('is not listed, and a search for it fails', async ({ db }) => {
    const { buyer } = await selling(db, { isWithdrawn: true })
    const listed = await buyer.send('GET', `${US}/offerings`)
    expect(listed.json()).toMatchObject({ phoneNumberOfferings: [] })
    await expectSearchFails(buyer, db, { ...withdrawn, says: 'US geographic application', details: 'offerings' })
  })

  it.for([
    ['withdrawn', anOffering({ isWithdrawn: true })],
    ['taken out of the catalogue', anOffering({ assignmentType: 'person' })],
  ] as const)('can not be purchased when it was %s after the search', async ([_, offering], { db }) => {
    const { service, buyer } = await selling(db, {})
    const { searchId } = await search(buyer, { quantity: 3 })
    const replica = service.replicaOn(db, await readCatalogue(await writeCatalogue([offering])))
    await expectPurchaseFails(replica.sameClient(buyer), db, searchId, withdrawn)
    expect(await countIn(db, 'available')).toBe(STOCK)
    await replica.close()
  })
})

describe('a resource with a limit', () => {
  const over = { error: 'NotEnoughLicenses', errorCode: 1005 }

  it('can not search for more than is left of it, and is told how many that is', async ({ db }) => {
    const { buyer } = await aService(db)
    await saveTerms(db, 'buyer', { numberLimit: 3 })
    const shown = await expectSearchFails(buyer, db, { ...over, details: 'Up to 3 would do' }, { quantity: 4 })
    expect(shown.details).toMatchObject([{ code: 'LargestQuantity', target: 'quantity' }])
    expect(await buy(buyer, 3)).toHaveLength(3)
    await expectSearchFails(buyer, db, { ...over, says: 'has 3', details: 'Release numbers first' })
  })

  it('can not purchase two searches that are over it together, and the second frees its numbers', async ({ db }) => {
    const { buyer } = await aService(db)
    await saveTerms(db, 'buyer', { numberLimit: 3 })
    const [first, second] = [await search(buyer, { quantity: 2 }), await search(buyer, { quantity: 2 })]
    await buyer.send('POST', PURCHASE, { body: { searchId: first.searchId } })
    await expectPurchaseFails(buyer, db, second.searchId, { ...over, details: 'Up to 1 would do' })
    expect([await countIn(db, 'owned'), await countIn(db, 'available')]).toEqual([2, STOCK - 2])
  })

  it('counts what is being purchased, until that is called off', async ({ db }) => {
    const { service, buyer } = await aService(db, { LINEBOOK_PURCHASE_DELAY_MS: '1000' })
    await saveTerms(db, 'buyer', { numberLimit: 3 })
    const [first, second, third] = [
      await search(buyer, { quantity: 2 }),
      await search(buyer, { quantity: 2 }),
      await search(buyer, { quantity: 2 }),
    ]
    await buyer.send('POST', PURCHASE, { body: { searchId: first.searchId } })
    await buyer.send('POST', PURCHASE, { body: { searchId: second.searchId } })
    expect(await operation(buyer, `purchase_${second.searchId}`)).toMatchObject({ status: 'failed' })
    expect(await searchResult(buyer, second.searchId)).toMatchObject(over)
    await buyer.send('DELETE', `/phoneNumbers/operations/purchase_${first.searchId}`)
    await buyer.send('POST', PURCHASE, { body: { searchId: third.searchId } })
    service.clock.advance(1_000)
    expect(await operation(buyer, `purchase_${third.searchId}`)).toMatchObject({ status: 'succeeded' })
    expect(await countIn(db, 'owned')).toBe(2)
  })

  it('may go on to own what it owns already when the limit is lowered, and buys again when it is lifted', async ({
    db,
  }) => {
    const { service, buyer } = await aService(db)
    const [first] = await buy(buyer, 2)
    await saveTerms(db, 'buyer', { numberLimit: 1 })
    expect((await buyer.send('GET', `/phoneNumbers/${first}`)).statusCode).toBe(200)
    const replica = service.replicaOn(db)
    await expectSearchFails(replica.sameClient(buyer), db, over)
    await saveTerms(db, 'buyer', { numberLimit: null })
    expect(await buy(replica.sameClient(buyer))).toHaveLength(1)
    await replica.close()
  })
})

describe('numbers that are taken out of service while they are held', () => {
  const retireHeld = (db: Db, e164s: string[]) =>
    db.transaction((tx) => retire(tx, e164s, { at: TEST_START, actor: 'operator', reason: 'test' }, { evenHeld: true }))

  it('are not bought; the others are, and the operation says which are missing', async ({ db }) => {
    const { buyer } = await aService(db)
    const { searchId, phoneNumbers } = await search(buyer, { quantity: 3 })
    const [gone = '', ...rest] = phoneNumbers
    await retireHeld(db, [gone])
    const shown = await expectPurchaseFails(buyer, db, searchId, {
      error: 'NumbersPartiallyAcquired',
      errorCode: 1008,
      says: '2 of 3',
      details: gone,
    })
    expect(shown.details).toMatchObject([{ code: 'NumberGone', target: gone }])
    expect((await searchResult(buyer, searchId)).phoneNumbers).toEqual(rest)
    const owned = await db.query<{ e164: string }>(sql`select e164 from number where state = 'owned' order by e164`)
    expect(owned.map(({ e164 }) => e164)).toEqual(rest)
    expect(await countIn(db, 'retired')).toBe(1)
  })

  it('leave a purchase with nothing when they are all', async ({ db }) => {
    const { buyer } = await aService(db)
    const { searchId, phoneNumbers } = await search(buyer, { quantity: 2 })
    await retireHeld(db, phoneNumbers)
    const shown = await expectPurchaseFails(buyer, db, searchId, { error: 'AllNumbersNotAcquired', errorCode: 1009 })
    expect(shown.details?.map(({ target }) => target)).toEqual(phoneNumbers)
    expect(await countIn(db, 'owned')).toBe(0)
  })

  it('are missing from a purchase that was under way too', async ({ db }) => {
    const { service, buyer } = await aService(db, { LINEBOOK_PURCHASE_DELAY_MS: '1000' })
    const { searchId, phoneNumbers } = await search(buyer, { quantity: 2 })
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    await retireHeld(db, phoneNumbers.slice(0, 1))
    service.clock.advance(1_000)
    expect(await operation(buyer, `purchase_${searchId}`)).toMatchObject({
      status: 'failed',
      error: { code: 'NumbersPartiallyAcquired' },
    })
  })

  it('are only those on hold when asked for: without that the ledger refuses', async ({ db }) => {
    const { buyer } = await aService(db)
    const { phoneNumbers } = await search(buyer)
    const cause = { at: TEST_START, actor: 'operator', reason: 'test' }
    await expect(db.transaction((tx) => retire(tx, phoneNumbers, cause))).rejects.toThrow('(held)')
    const [owned = ''] = await buy(buyer)
    await expect(retireHeld(db, [owned])).rejects.toThrow('(owned)')
  })
})

describe('a hold that has run out', () => {
  it('is told by the search, and refuses its purchase', async ({ db }) => {
    const { service, buyer } = await aService(db)
    const { searchId } = await search(buyer)
    service.clock.advance(15 * 60_000)
    expect(await searchResult(buyer, searchId)).toMatchObject({ error: 'ReservationExpired', errorCode: 1010 })
    const answer = await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { error: { code: 'BadRequest', innererror: { code: 'ReservationExpired' } } },
    ])
    expect(await countIn(db, 'owned')).toBe(0)
  })
})

describe('a search of an area that has nothing', () => {
  const outOfStock = { error: 'OutOfStock', errorCode: 1000 }

  it('is told the nearest areas that have something, and how much there is in all', async ({ db }) => {
    const { buyer } = await aService(db)
    await enterStock(db, {
      from: '+14255550100',
      count: 5,
      place: { ...seattle, areaCode: '425', locality: 'Redmond' },
    })
    const failure = { ...outOfStock, says: 'area code 207 of US' }
    const { details } = await expectSearchFails(buyer, db, failure, { areaCode: '207' })
    expect(details).toEqual([
      { code: 'NearestAreaCodes', message: 'There are numbers in area code 206, 425.', target: 'areacode' },
      {
        code: 'LargestQuantity',
        message: `Without an area code a search would find up to ${STOCK + 5} now.`,
        target: 'quantity',
      },
    ])
  })

  it('is told no area when there is none', async ({ db }) => {
    const { buyer } = await aService(db)
    await buy(buyer, STOCK)
    expect((await expectSearchFails(buyer, db, outOfStock, { areaCode: '206' })).details).toBeUndefined()
    expect((await expectSearchFails(buyer, db, outOfStock)).details).toBeUndefined()
  })
})

async function aService(
  db: Db,
  env: Record<string, string> = {},
): Promise<{ service: TestService; buyer: TestClient }> {
  const service = await createTestService(db, env)
  await enterStock(db, { count: STOCK })
  return { service, buyer: await service.client() }
}

const selling = async (db: Db, over: Partial<OfferingInFile>) =>
  aService(db, { LINEBOOK_CATALOGUE_FILE: await writeCatalogue([anOffering(over)]) })
