import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { all, connect, connectWithKey, schemes } from './clients.js'

let linebook: Linebook
beforeAll(async () => {
  linebook = await borrowLinebook()
})

describe.each(schemes)('what is for sale, over %s', (scheme) => {
  let client: PhoneNumbersClient
  beforeAll(() => {
    client = connect(linebook, scheme)
  })

  describe('countries', () => {
    it('are 42, in the order of their English names', async () => {
      const countries = await all(client.listAvailableCountries())
      expect(countries).toHaveLength(42)
      expect(countries[0]).toEqual({ countryCode: 'AR', localizedName: 'Argentina' })
      expect(countries).toContainEqual({ countryCode: 'US', localizedName: 'United States' })
      const names = countries.map(({ localizedName }) => localizedName)
      expect(names).toEqual([...names].sort(new Intl.Collator('en').compare))
    })

    it('are named in the language that the client accepts', async () => {
      const german = connectWithKey(linebook, scheme, { acceptLanguage: 'de-DE' })
      const countries = await all(german.listAvailableCountries())
      expect(countries).toHaveLength(42)
      expect(countries).toContainEqual({ countryCode: 'DE', localizedName: 'Deutschland' })
      expect(countries).toContainEqual({ countryCode: 'US', localizedName: 'Vereinigte Staaten' })
    })

    it.each([
      ['tr', 'Almanya'],
      ['zh-CN', '德国'],
      ['tlh, fr-CA;q=0.4, pt-BR;q=0.8', 'Alemanha'],
    ])('are named in the best known language of "%s"', async (acceptLanguage, germany) => {
      const countries = await all(connectWithKey(linebook, scheme, { acceptLanguage }).listAvailableCountries())
      expect(countries).toHaveLength(42)
      expect(countries).toContainEqual({ countryCode: 'DE', localizedName: germany })
    })

    it('are named in English when the accepted language is unknown', async () => {
      const client = connectWithKey(linebook, scheme, { acceptLanguage: 'tlh' })
      expect(await all(client.listAvailableCountries())).toContainEqual({
        countryCode: 'DE',
        localizedName: 'Germany',
      })
    })
  })

  describe('localities', () => {
    it('of the United States carry their state, and stand in its order', async () => {
      const localities = await all(client.listAvailableLocalities('US'))
      expect(localities).toContainEqual({
        localizedName: 'Seattle',
        administrativeDivision: { localizedName: 'WA', abbreviatedName: 'WA' },
      })
      const order = localities.map(
        ({ localizedName, administrativeDivision }) => `${administrativeDivision?.abbreviatedName} ${localizedName}`,
      )
      expect(order).toEqual([...new Set(order)].sort())
      expect(order[0]).toBe('AK Anchorage')
    })

    it('of one state are those of that state only', async () => {
      const localities = await all(client.listAvailableLocalities('US', { administrativeDivision: 'WA' }))
      expect(localities.map(({ localizedName }) => localizedName)).toEqual(['Redmond', 'Seattle', 'Tacoma'])
    })

    it('of a country without divisions carry none', async () => {
      expect(await all(client.listAvailableLocalities('IE', { phoneNumberType: 'mobile' }))).toEqual([
        { localizedName: 'Dublin', administrativeDivision: null },
      ])
    })

    it('of an unknown division are none', async () => {
      expect(await all(client.listAvailableLocalities('US', { administrativeDivision: 'New York (it’s) ~x' }))).toEqual(
        [],
      )
    })
  })

  describe('area codes', () => {
    it('of a city are those with geographic numbers there', async () => {
      const areaCodes = await all(
        client.listAvailableGeographicAreaCodes('US', {
          locality: 'New York',
          administrativeDivision: 'NY',
          assignmentType: 'person',
        }),
      )
      expect(areaCodes).toEqual([{ areaCode: '212' }, { areaCode: '646' }])
    })

    it('of toll-free numbers belong to the whole country', async () => {
      const areaCodes = await all(client.listAvailableTollFreeAreaCodes('US'))
      expect(areaCodes.map(({ areaCode }) => areaCode)).toEqual(['800', '844', '855', '866', '877', '888'])
    })

    it('of mobile numbers belong to the whole country', async () => {
      expect(await all(client.listAvailableMobileAreaCodes('GB'))).toEqual([{ areaCode: '7700' }])
    })

    it('of a place without numbers are not found', async () => {
      await expect(all(client.listAvailableGeographicAreaCodes('US', { locality: 'Atlantis' }))).rejects.toMatchObject({
        name: 'RestError',
        statusCode: 404,
        code: 'NotFound',
        message: 'No area codes were found for the given parameters',
      })
    })
  })

  describe('offerings', () => {
    it('say what a number can do and what it costs', async () => {
      const offerings = await all(client.listAvailableOfferings('US'))
      expect(offerings).toHaveLength(3)
      expect(offerings).toContainEqual({
        phoneNumberType: 'tollFree',
        assignmentType: 'application',
        availableCapabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' },
        cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
      })
    })

    it('of one type and assignment are those only', async () => {
      const options = { phoneNumberType: 'geographic', assignmentType: 'person' } as const
      expect(await all(client.listAvailableOfferings('US', options))).toEqual([
        {
          ...options,
          availableCapabilities: { calling: 'inbound+outbound', sms: 'none' },
          cost: { amount: 1, currencyCode: 'USD', billingFrequency: 'monthly' },
        },
      ])
    })
  })

  it('a country that is none is refused by every list', async () => {
    const refusal = { statusCode: 400, code: 'InvalidInput', message: 'Unable to parse country code.' }
    await expect(all(client.listAvailableLocalities('XX'))).rejects.toMatchObject(refusal)
    await expect(all(client.listAvailableTollFreeAreaCodes('XX'))).rejects.toMatchObject(refusal)
    await expect(all(client.listAvailableOfferings('XX'))).rejects.toMatchObject(refusal)
  })
})
