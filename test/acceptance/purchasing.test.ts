import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { aSearch, buy, connect, owned, purchase, quickly, release, schemes, search } from './clients.js'

const MINUTE_MS = 60_000

let linebook: Linebook
beforeAll(async () => {
  linebook = await borrowLinebook()
})

describe.each(schemes)('buying numbers over %s', (scheme) => {
  let client: PhoneNumbersClient
  beforeAll(() => {
    client = connect(linebook, scheme)
  })

  describe('a search', () => {
    it('finds as many numbers as were asked for, and says what they cost', async () => {
      const poller = await client.beginSearchAvailablePhoneNumbers(
        aSearch({
          phoneNumberType: 'tollFree',
          areaCode: '844',
          capabilities: { calling: 'none', sms: 'outbound' },
          quantity: 3,
        }),
        quickly,
      )
      const result = await poller.pollUntilDone()
      expect(poller.isDone()).toBe(true)
      expect(poller.getResult()).toEqual(result)
      expect(result).toEqual({
        searchId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        phoneNumbers: expect.any(Array),
        phoneNumberType: 'tollFree',
        assignmentType: 'application',
        capabilities: { calling: 'none', sms: 'outbound' },
        cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
        searchExpiresBy: expect.any(Date),
        isAgreementToNotResellRequired: false,
        error: 'NoError',
      })
      expect(new Set(result.phoneNumbers).size).toBe(3)
      for (const number of result.phoneNumbers) expect(number).toMatch(/^\+184455501\d\d$/)
    })

    it('holds its numbers for less than a quarter of an hour from when it is read', async () => {
      const { searchExpiresBy } = await search(client)
      const remainingMs = searchExpiresBy.getTime() - Date.now()
      expect(remainingMs).toBeGreaterThan(14 * MINUTE_MS)
      expect(remainingMs).toBeLessThan(15 * MINUTE_MS)
    })

    it('without an area code finds numbers anywhere in the country', async () => {
      const { phoneNumbers } = await search(client, { quantity: 5 })
      expect(phoneNumbers).toHaveLength(5)
      for (const number of phoneNumbers) expect(number).toMatch(/^\+1\d{3}55501\d\d$/)
    })

    it('finds one number when no quantity is given', async () => {
      const { quantity: _, ...withoutQuantity } = aSearch()
      const poller = await client.beginSearchAvailablePhoneNumbers(withoutQuantity, quickly)
      expect((await poller.pollUntilDone()).phoneNumbers).toHaveLength(1)
    })

    it('never finds what another one holds', async () => {
      // An area of its own per scheme, because its 100 numbers stay held.
      const everything = { countryCode: 'SE', areaCode: scheme === 'http' ? '31' : '40', quantity: 100 }
      expect((await search(client, everything)).phoneNumbers).toHaveLength(100)
      await expect(search(client, { ...everything, quantity: 1 })).rejects.toThrow(/OutOfStock/)
    })

    it('finds fewer numbers than were asked for when there are no more', async () => {
      const [number] = await buy(client, { countryCode: 'AU', phoneNumberType: 'tollFree' })
      const { phoneNumbers, searchId } = await search(client, {
        countryCode: 'AU',
        phoneNumberType: 'tollFree',
        quantity: 50,
      })
      expect(phoneNumbers).toHaveLength(1)
      await purchase(client, searchId)
      for (const bought of [number, ...phoneNumbers]) await release(client, bought)
    })

    it('that finds nothing fails with OutOfStock', async () => {
      await expect(search(client, { areaCode: '999' })).rejects.toThrow(
        /^The long-running operation has failed\..*OutOfStock/,
      )
    })
  })

  describe('a purchase', () => {
    it('makes every number of the search the own', async () => {
      const before = Date.now()
      const { searchId, phoneNumbers } = await search(client, { areaCode: '425', quantity: 3 })
      const poller = await client.beginPurchasePhoneNumbers(searchId, quickly)
      await poller.pollUntilDone()

      expect(await owned(client)).toEqual(expect.arrayContaining(phoneNumbers))
      for (const phoneNumber of phoneNumbers) {
        const number = await client.getPurchasedPhoneNumber(phoneNumber)
        expect(number).toEqual({
          id: phoneNumber.slice(1),
          phoneNumber,
          countryCode: 'US',
          phoneNumberType: 'geographic',
          capabilities: { calling: 'inbound', sms: 'none' },
          assignmentType: 'application',
          purchaseDate: expect.any(Date),
          cost: { amount: 1, currencyCode: 'USD', billingFrequency: 'monthly' },
        })
        expect(number.purchaseDate.getTime()).toBeGreaterThanOrEqual(before)
        expect(number.purchaseDate.getTime()).toBeLessThanOrEqual(Date.now())
      }
    })

    it('asked for again has no second effect', async () => {
      const { searchId, phoneNumbers } = await search(client, { quantity: 2 })
      await purchase(client, searchId)
      const bought = await client.getPurchasedPhoneNumber(phoneNumbers[0] as string)
      await purchase(client, searchId)

      expect(await client.getPurchasedPhoneNumber(phoneNumbers[0] as string)).toEqual(bought)
      const numbers = await owned(client)
      for (const number of phoneNumbers) expect(numbers.filter((each) => each === number)).toHaveLength(1)
    })

    it('of a French number takes the agreement not to resell', async () => {
      const { searchId, phoneNumbers, isAgreementToNotResellRequired } = await search(client, { countryCode: 'FR' })
      expect(isAgreementToNotResellRequired).toBe(true)
      await expect(client.beginPurchasePhoneNumbers(searchId)).rejects.toMatchObject({
        name: 'RestError',
        statusCode: 400,
        code: 'BadRequest',
        message: 'Do not resell agreement was not provided and it is required for this purchase.',
      })
      await expect(client.getPurchasedPhoneNumber(phoneNumbers[0] as string)).rejects.toMatchObject({ statusCode: 404 })

      const poller = await client.beginPurchasePhoneNumbers(searchId, { ...quickly, agreeToNotResell: true })
      await poller.pollUntilDone()
      const number = await client.getPurchasedPhoneNumber(phoneNumbers[0] as string)
      expect(number.countryCode).toBe('FR')
    })

    it('brings mobile numbers as well', async () => {
      const capabilities = { calling: 'inbound', sms: 'inbound+outbound' } as const
      const [phoneNumber] = await buy(client, { countryCode: 'GB', phoneNumberType: 'mobile', capabilities })
      expect(await client.getPurchasedPhoneNumber(phoneNumber)).toMatchObject({
        phoneNumberType: 'mobile',
        capabilities,
        cost: { amount: 1.15 },
      })
    })
  })

  describe('an owned number', () => {
    it('gets new capabilities, and keeps those that are not named', async () => {
      const [phoneNumber] = await buy(client, {
        phoneNumberType: 'tollFree',
        areaCode: '855',
        capabilities: { calling: 'inbound', sms: 'none' },
      })
      const poller = await client.beginUpdatePhoneNumberCapabilities(phoneNumber, { sms: 'outbound' }, quickly)
      const changed = await poller.pollUntilDone()
      expect(changed).toMatchObject({ phoneNumber, capabilities: { calling: 'inbound', sms: 'outbound' } })
      expect(await client.getPurchasedPhoneNumber(phoneNumber)).toEqual(changed)
    })

    it('keeps its capabilities when its offering has no such ones', async () => {
      const [phoneNumber] = await buy(client, { countryCode: 'CA' })
      await expect(client.beginUpdatePhoneNumberCapabilities(phoneNumber, { sms: 'inbound' })).rejects.toMatchObject({
        statusCode: 400,
        code: 'InternalError',
        message: 'The server encountered an internal error.',
      })
      expect((await client.getPurchasedPhoneNumber(phoneNumber)).capabilities).toEqual({
        calling: 'inbound',
        sms: 'none',
      })
    })

    it('is gone once it is released', async () => {
      const [phoneNumber, kept] = await buy(client, { quantity: 2 })
      const poller = await client.beginReleasePhoneNumber(phoneNumber, quickly)
      await poller.pollUntilDone()

      await expect(client.getPurchasedPhoneNumber(phoneNumber)).rejects.toMatchObject({ statusCode: 404 })
      const numbers = await owned(client)
      expect(numbers).not.toContain(phoneNumber)
      expect(numbers).toContain(kept)
    })

    it('can be bought again once it is released', async () => {
      // No other search here may happen upon it: each names another area or another type.
      const theOnlyOne = { phoneNumberType: 'tollFree', areaCode: '800' } as const
      const [phoneNumber] = await buy(client, theOnlyOne)
      await expect(search(client, theOnlyOne)).rejects.toThrow(/OutOfStock/)
      await release(client, phoneNumber)
      expect(await buy(client, theOnlyOne)).toEqual([phoneNumber])
      await release(client, phoneNumber)
    })
  })
})
