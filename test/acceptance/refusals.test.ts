import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { all, aSearch, connect, connectWithKey, schemes } from './clients.js'

/** Reserved for fiction and in nobody's stock. */
const UNKNOWN_NUMBER = '+14255550099'

let linebook: Linebook
beforeAll(async () => {
  linebook = await borrowLinebook()
})

describe.each(schemes)('what is refused over %s', (scheme) => {
  let client: PhoneNumbersClient
  beforeAll(() => {
    client = connect(linebook, scheme)
  })

  describe('a search', () => {
    it('of toll-free numbers for a person fits no plan', async () => {
      const wanted = aSearch({ phoneNumberType: 'tollFree', assignmentType: 'person' })
      await expect(client.beginSearchAvailablePhoneNumbers(wanted)).rejects.toMatchObject({
        name: 'RestError',
        statusCode: 400,
        code: 'InternalError',
        message: 'The server encountered an internal error.',
        details: {
          error: {
            innerError: {
              code: 'BadRequest',
              message: 'We are unable to find phone plans to match your requested capabilities.',
            },
          },
        },
      })
    })

    it('in a country that is none is invalid', async () => {
      await expect(client.beginSearchAvailablePhoneNumbers(aSearch({ countryCode: 'XX' }))).rejects.toMatchObject({
        statusCode: 400,
        code: 'InvalidInput',
        message: 'Unable to parse country code.',
        details: { error: { target: 'countrycode' } },
      })
    })

    it.each([101, 0, -1])('for %i numbers is invalid', async (quantity) => {
      await expect(client.beginSearchAvailablePhoneNumbers(aSearch({ quantity }))).rejects.toMatchObject({
        statusCode: 400,
        code: 'InvalidInput',
        message: expect.stringMatching(/quantity/i),
        details: { error: { target: 'quantity' } },
      })
    })

    it('in an area code with letters is invalid', async () => {
      await expect(client.beginSearchAvailablePhoneNumbers(aSearch({ areaCode: '4Z5' }))).rejects.toMatchObject({
        statusCode: 400,
        code: 'InvalidInput',
        details: { error: { target: 'areacode' } },
      })
    })
  })

  it.each(['some-invalid-id', randomUUID()])('a purchase of the unknown search %s is not found', async (searchId) => {
    await expect(client.beginPurchasePhoneNumbers(searchId)).rejects.toMatchObject({
      name: 'RestError',
      statusCode: 404,
      code: 'NotFound',
      message: `Input searchId ${searchId} cannot be found.`,
    })
  })

  it.each([UNKNOWN_NUMBER, '+1', 'not-a-number'])('the number %s, which is not owned, is not found', async (number) => {
    const refusal = { statusCode: 404, code: 'NotFound', message: `Input phoneNumber ${number} cannot be found.` }
    await expect(client.getPurchasedPhoneNumber(number)).rejects.toMatchObject(refusal)
    await expect(client.beginReleasePhoneNumber(number)).rejects.toMatchObject(refusal)
  })

  it.each([UNKNOWN_NUMBER, 'not-a-number'])('capabilities of %s, which is not owned, cannot change', async (number) => {
    await expect(client.beginUpdatePhoneNumberCapabilities(number, { calling: 'inbound' })).rejects.toMatchObject({
      name: 'RestError',
      statusCode: 403,
      code: 'InsufficientPermissions',
      message: 'Phone number not owned by this resource.',
      details: { error: { target: 'phonenumber' } },
    })
  })

  it('a client with the wrong access key is denied', async () => {
    const stranger = connectWithKey(linebook, scheme, { key: Buffer.from('not the key').toString('base64') })
    const denial = { statusCode: 401, code: 'Denied', message: 'Denied by the resource provider.' }
    await expect(all(stranger.listPurchasedPhoneNumbers())).rejects.toMatchObject(denial)
    await expect(stranger.beginSearchAvailablePhoneNumbers(aSearch())).rejects.toMatchObject(denial)
  })
})
