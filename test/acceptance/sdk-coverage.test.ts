/**
 * Every public method of the official clients, called against the running program. The list is the SDK's own: a method
 * that a later version brings fails here until somebody has written down what it should do.
 */
import { PhoneNumbersClient, SipRoutingClient, type AvailablePhoneNumber } from '@azure/communication-phone-numbers'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { all, buy, connect, connectSipRouting, owned, quickly, search } from './clients.js'

let linebook: Linebook
let client: PhoneNumbersClient
let sip: SipRoutingClient
beforeAll(async () => {
  linebook = await borrowLinebook()
  client = connect(linebook, 'https')
  sip = connectSipRouting(linebook, 'https')
})

const browsed = async (count: number): Promise<AvailablePhoneNumber[]> => {
  const { phoneNumbers } = await client.browseAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'tollFree' })
  expect(phoneNumbers.length).toBeGreaterThanOrEqual(count)
  return phoneNumbers.slice(0, count)
}

const reserved = async (count: number) => {
  const reservationId = randomUUID()
  return client.createOrUpdateReservation({ reservationId }, { add: await browsed(count) })
}

/** What calling each method shows. */
const phoneNumberCalls: Record<string, () => Promise<unknown>> = {
  async listAvailableCountries() {
    expect(await all(client.listAvailableCountries())).toHaveLength(42)
  },
  async listAvailableLocalities() {
    expect(await all(client.listAvailableLocalities('US'))).not.toHaveLength(0)
  },
  async listAvailableOfferings() {
    expect(await all(client.listAvailableOfferings('US'))).toContainEqual({
      phoneNumberType: 'tollFree',
      assignmentType: 'application',
      availableCapabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' },
      cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
    })
  },
  async listAvailableTollFreeAreaCodes() {
    expect(await all(client.listAvailableTollFreeAreaCodes('US'))).toContainEqual({ areaCode: '888' })
  },
  async listAvailableGeographicAreaCodes() {
    const seattle = { locality: 'Seattle', administrativeDivision: 'WA' }
    expect(await all(client.listAvailableGeographicAreaCodes('US', seattle))).toContainEqual({ areaCode: '206' })
  },
  async listAvailableMobileAreaCodes() {
    expect(await all(client.listAvailableMobileAreaCodes('IE'))).not.toHaveLength(0)
  },
  async browseAvailablePhoneNumbers() {
    expect(await browsed(1)).toMatchObject([{ countryCode: 'US', phoneNumberType: 'tollFree', status: 'available' }])
  },
  async beginSearchAvailablePhoneNumbers() {
    expect(await search(client)).toMatchObject({ phoneNumbers: [expect.stringMatching(/^\+1/)], error: 'NoError' })
  },
  async beginPurchasePhoneNumbers() {
    const { searchId, phoneNumbers } = await search(client, { quantity: 2 })
    await (await client.beginPurchasePhoneNumbers(searchId, quickly)).pollUntilDone()
    expect(await owned(client)).toEqual(expect.arrayContaining(phoneNumbers))
  },
  async getPurchasedPhoneNumber() {
    const [phoneNumber] = await buy(client)
    expect(await client.getPurchasedPhoneNumber(phoneNumber)).toMatchObject({ phoneNumber, countryCode: 'US' })
  },
  async listPurchasedPhoneNumbers() {
    const [phoneNumber] = await buy(client)
    expect((await all(client.listPurchasedPhoneNumbers())).at(-1)).toMatchObject({ phoneNumber })
  },
  async beginUpdatePhoneNumberCapabilities() {
    const [phoneNumber] = await buy(client)
    const poller = await client.beginUpdatePhoneNumberCapabilities(phoneNumber, { sms: 'outbound' }, quickly)
    expect(await poller.pollUntilDone()).toMatchObject({ capabilities: { calling: 'inbound', sms: 'outbound' } })
  },
  async beginReleasePhoneNumber() {
    const [phoneNumber] = await buy(client)
    await (await client.beginReleasePhoneNumber(phoneNumber, quickly)).pollUntilDone()
    expect(await owned(client)).not.toContain(phoneNumber)
  },
  async createOrUpdateReservation() {
    const { id = '', phoneNumbers = {} } = await reserved(2)
    const [first = '', second = ''] = Object.keys(phoneNumbers)
    const changed = await client.createOrUpdateReservation({ reservationId: id }, { remove: [first] })
    expect(changed).toMatchObject({ id, status: 'active', phoneNumbers: { [second]: { status: 'reserved' } } })
    expect(Object.keys(changed.phoneNumbers ?? {})).toEqual([second])
  },
  async getReservation() {
    const { id = '', phoneNumbers } = await reserved(1)
    expect(await client.getReservation(id)).toMatchObject({ id, status: 'active', phoneNumbers })
  },
  async listReservations() {
    const { id } = await reserved(1)
    expect(await all(client.listReservations())).toContainEqual(expect.objectContaining({ id, status: 'active' }))
  },
  async deleteReservation() {
    const { id = '' } = await reserved(1)
    await client.deleteReservation(id)
    await expect(client.getReservation(id)).rejects.toMatchObject({ statusCode: 404, code: 'ReservationNotFound' })
  },
  async beginReservationPurchase() {
    const { id = '', phoneNumbers = {} } = await reserved(2)
    await (await client.beginReservationPurchase(id, quickly)).pollUntilDone()
    const bought = Object.keys(phoneNumbers).map((digits) => `+${digits}`)
    expect(await owned(client)).toEqual(expect.arrayContaining(bought))
    expect(await client.getReservation(id)).toMatchObject({ status: 'completed' })
  },
  async searchOperatorInformation() {
    const { values } = await client.searchOperatorInformation(['+12065550100'], {
      includeAdditionalOperatorDetails: true,
    })
    expect(values).toMatchObject([{ phoneNumber: '+12065550100', isoCountryCode: 'US', numberType: 'geographic' }])
  },
}

const trunk = { fqdn: 'sbc.contoso.com', sipSignalingPort: 5061 }
const route = { name: 'All', numberPattern: '^\\+[1-9][0-9]{3,23}$', trunks: [trunk.fqdn] }

const sipCalls: Record<string, () => Promise<unknown>> = {
  async setTrunks() {
    expect(await sip.setTrunks([trunk])).toEqual([trunk])
  },
  async listTrunks() {
    await sip.setTrunks([trunk])
    expect(await all(sip.listTrunks())).toEqual([trunk])
  },
  async getTrunk() {
    await sip.setTrunk(trunk)
    expect(await sip.getTrunk(trunk.fqdn)).toEqual(trunk)
  },
  async setTrunk() {
    const moved = { ...trunk, sipSignalingPort: 5062 }
    expect(await sip.setTrunk(moved)).toEqual(moved)
  },
  async setRoutes() {
    await sip.setTrunk(trunk)
    expect(await sip.setRoutes([route])).toMatchObject([route])
  },
  async listRoutes() {
    await sip.setTrunk(trunk)
    await sip.setRoutes([route])
    expect(await all(sip.listRoutes())).toMatchObject([route])
  },
  async deleteTrunk() {
    await sip.setRoutes([])
    await sip.deleteTrunk(trunk.fqdn)
    expect(await all(sip.listTrunks())).toEqual([])
  },
}

/** The methods of a client that its types don't call private. */
function publicMethods(client: { prototype: object }, file: string): string[] {
  const folder = dirname(createRequire(import.meta.url).resolve('@azure/communication-phone-numbers/package.json'))
  const types = readFileSync(join(folder, 'dist', 'esm', file), 'utf8')
  const hidden = [...types.matchAll(/^\s*private (?:readonly )?(\w+);/gm)].map(([, name]) => name)
  return Object.getOwnPropertyNames(client.prototype).filter((name) => name !== 'constructor' && !hidden.includes(name))
}

describe.each([
  ['PhoneNumbersClient', publicMethods(PhoneNumbersClient, 'phoneNumbersClient.d.ts'), phoneNumberCalls, 19],
  ['SipRoutingClient', publicMethods(SipRoutingClient, 'sipRoutingClient.d.ts'), sipCalls, 7],
] as const)('the method of %s', (_client, methods, calls, least) => {
  it.each(methods)('%s does what it says', async (method) => {
    const call = calls[method]
    if (call === undefined) throw new Error(`no test calls ${method}`)
    await call()
  })

  it('that a test is written for is there', () => {
    expect(methods).toEqual(expect.arrayContaining(Object.keys(calls)))
    expect(methods.length).toBeGreaterThanOrEqual(least)
  })
})
