import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { buy, connect, schemes } from './clients.js'

let linebook: Linebook
beforeAll(async () => {
  linebook = await borrowLinebook()
})

describe.each(schemes)('browsing, over %s', (scheme) => {
  let client: PhoneNumbersClient
  beforeAll(() => {
    client = connect(linebook, scheme)
  })

  it('shows a page of what is for sale, another one each time', async () => {
    const browse = () => client.browseAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'tollFree' })
    const [first, second] = [await browse(), await browse()]
    expect(first.phoneNumbers).toHaveLength(25)
    expect(first.phoneNumbers).not.toEqual(second.phoneNumbers)
    for (const number of first.phoneNumbers) {
      expect(number).toEqual({
        id: number.phoneNumber?.slice(1),
        countryCode: 'US',
        phoneNumber: expect.stringMatching(/^\+18\d{9}$/) as string,
        capabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' },
        phoneNumberType: 'tollFree',
        assignmentType: 'application',
        cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
        status: 'available',
      })
    }
  })

  it('takes the least capabilities, the assignment and prefixes', async () => {
    const request = { countryCode: 'US', phoneNumberType: 'geographic' } as const
    const { phoneNumbers } = await client.browseAvailablePhoneNumbers(request, {
      capabilities: { calling: 'inbound' },
      assignmentType: 'person',
      phoneNumberPrefixes: ['1212', '1646'],
    })
    expect(phoneNumbers).toHaveLength(25)
    for (const { phoneNumber, assignmentType, capabilities } of phoneNumbers) {
      expect(phoneNumber).toMatch(/^\+1(212|646)/)
      expect([assignmentType, capabilities]).toEqual(['person', { calling: 'inbound+outbound', sms: 'none' }])
    }
    const wanted = { assignmentType: 'person', capabilities: { calling: 'none', sms: 'inbound' } } as const
    expect((await client.browseAvailablePhoneNumbers(request, wanted)).phoneNumbers).toEqual([])
  })

  it('says where buyers must agree not to resell', async () => {
    const { phoneNumbers } = await client.browseAvailablePhoneNumbers({
      countryCode: 'FR',
      phoneNumberType: 'geographic',
    })
    expect(phoneNumbers.length).toBeGreaterThan(0)
    expect(phoneNumbers.every(({ isAgreementToNotResellRequired }) => isAgreementToNotResellRequired)).toBe(true)
  })

  it('does not show what was bought', async () => {
    const [bought] = await buy(client, { phoneNumberType: 'tollFree' })
    const { phoneNumbers } = await client.browseAvailablePhoneNumbers(
      { countryCode: 'US', phoneNumberType: 'tollFree' },
      { phoneNumberPrefixes: [bought.slice(1)] },
    )
    expect(phoneNumbers).toEqual([])
  })

  it('in a country that is none is refused', async () => {
    await expect(
      client.browseAvailablePhoneNumbers({ countryCode: 'INVALID', phoneNumberType: 'tollFree' }),
    ).rejects.toMatchObject({
      name: 'RestError',
      statusCode: 400,
      code: 'InvalidInput',
      message: 'Unable to parse country code.',
    })
  })
})
