import type { PhoneNumbersClient, SearchAvailablePhoneNumbersRequest } from 'azure-phone-numbers-v1'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { all, connectV1, hasten, schemes } from './clients.js'

const wanted = {
  countryCode: 'US',
  phoneNumberType: 'tollFree',
  assignmentType: 'application',
  capabilities: { calling: 'inbound', sms: 'none' },
} as const

let linebook: Linebook
beforeAll(async () => {
  linebook = await borrowLinebook()
})

describe.each(schemes)('the first release of the official client over %s', (scheme) => {
  let client: PhoneNumbersClient
  beforeAll(() => {
    client = connectV1(linebook, scheme)
  })

  const search = async (more: Partial<SearchAvailablePhoneNumbersRequest> = {}) =>
    hasten(await client.beginSearchAvailablePhoneNumbers({ ...wanted, ...more })).pollUntilDone()
  const buy = async (): Promise<string> => {
    const { searchId, phoneNumbers } = await search()
    await hasten(await client.beginPurchasePhoneNumbers(searchId)).pollUntilDone()
    return phoneNumbers[0] as string
  }

  it('finds numbers', async () => {
    const result = await search({ quantity: 2 })
    expect(result).toMatchObject({
      searchId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      phoneNumberType: 'tollFree',
      assignmentType: 'application',
      capabilities: wanted.capabilities,
      cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
      searchExpiresBy: expect.any(Date),
    })
    expect(result.phoneNumbers).toHaveLength(2)
  })

  it('purchases, reads and lists a number', async () => {
    const phoneNumber = await buy()
    const number = await client.getPurchasedPhoneNumber(phoneNumber)
    expect(number).toEqual({
      id: phoneNumber.slice(1),
      phoneNumber,
      ...wanted,
      purchaseDate: expect.any(Date),
      cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
    })
    expect(await all(client.listPurchasedPhoneNumbers())).toContainEqual(number)
  })

  it('changes capabilities', async () => {
    const phoneNumber = await buy()
    const poller = await client.beginUpdatePhoneNumberCapabilities(phoneNumber, { sms: 'inbound+outbound' })
    expect(await hasten(poller).pollUntilDone()).toMatchObject({
      phoneNumber,
      capabilities: { calling: 'inbound', sms: 'inbound+outbound' },
    })
  })

  it('releases a number', async () => {
    const phoneNumber = await buy()
    await hasten(await client.beginReleasePhoneNumber(phoneNumber)).pollUntilDone()
    await expect(client.getPurchasedPhoneNumber(phoneNumber)).rejects.toMatchObject({
      name: 'RestError',
      statusCode: 404,
      code: 'NotFound',
      message: `Input phoneNumber ${phoneNumber} cannot be found.`,
    })
  })

  it('learns why it is refused', async () => {
    await expect(client.beginPurchasePhoneNumbers('some-invalid-id')).rejects.toMatchObject({
      statusCode: 404,
      code: 'NotFound',
    })
    await expect(client.beginSearchAvailablePhoneNumbers({ ...wanted, quantity: 101 })).rejects.toMatchObject({
      statusCode: 400,
      code: 'InvalidInput',
    })
  })

  it('cannot purchase what needs an agreement that it has no word for', async () => {
    const { searchId } = await search({ countryCode: 'FR', phoneNumberType: 'geographic' })
    await expect(client.beginPurchasePhoneNumbers(searchId)).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadRequest',
      message: 'Do not resell agreement was not provided and it is required for this purchase.',
    })
  })
})
