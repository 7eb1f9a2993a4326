import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { all, buy, connect, connectV1, schemes } from './clients.js'
import { signedFetch } from './signed-fetch.js'

const PAGE_SIZE = 100

describe('a list of 300 purchased numbers', () => {
  let linebook: Linebook
  /** In the order of purchase. */
  const bought: string[] = []

  beforeAll(async () => {
    linebook = await borrowLinebook()
    const client = connect(linebook)
    for (let i = 0; i < 3; i++) bought.push(...(await buy(client, { quantity: PAGE_SIZE })))
  })

  it('is what three searches found', () => {
    expect(new Set(bought).size).toBe(3 * PAGE_SIZE)
  })

  describe.each(schemes)('read over %s', (scheme) => {
    let client: PhoneNumbersClient
    beforeAll(() => {
      client = connect(linebook, scheme)
    })

    it('has every number once', async () => {
      const listed = await all(client.listPurchasedPhoneNumbers())
      expect(listed.map(({ phoneNumber }) => phoneNumber).sort()).toEqual([...bought].sort())
    })

    it('has the earlier purchases first', async () => {
      const listed = await all(client.listPurchasedPhoneNumbers())
      const times = listed.map(({ purchaseDate }) => purchaseDate.getTime())
      expect(times).toEqual([...times].sort((a, b) => a - b))
    })

    it('comes in three full pages', async () => {
      const pages = await all(client.listPurchasedPhoneNumbers().byPage())
      expect(pages.map((page) => page.length)).toEqual([PAGE_SIZE, PAGE_SIZE, PAGE_SIZE])
      expect(
        pages
          .flat()
          .map(({ phoneNumber }) => phoneNumber)
          .sort(),
      ).toEqual([...bought].sort())
    })

    it('goes on from the link that an earlier reader kept', async () => {
      const { body } = await signedFetch(linebook, '/phoneNumbers', { scheme })
      const { nextLink } = body as { nextLink: string }
      const rest = await all(client.listPurchasedPhoneNumbers().byPage({ continuationToken: nextLink }))
      const pages = await all(client.listPurchasedPhoneNumbers().byPage())
      expect(rest.flat()).toEqual(pages.slice(1).flat())
    })

    it('has every number once for the first release of the client', async () => {
      const listed = await all(connectV1(linebook, scheme).listPurchasedPhoneNumbers())
      expect(listed.map(({ phoneNumber }) => phoneNumber).sort()).toEqual([...bought].sort())
    })
  })
})
