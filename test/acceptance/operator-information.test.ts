import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { buy, connect, schemes } from './clients.js'

let linebook: Linebook
beforeAll(async () => {
  linebook = await startLinebook({ flags: ['--in-memory', '--operator-name', 'Contoso Telecom'] })
})
afterAll(() => linebook?.stop())

describe.each(schemes)('operator information, over %s', (scheme) => {
  let client: PhoneNumbersClient
  beforeAll(() => {
    client = connect(linebook, scheme)
  })

  it('of any number is how it is written', async () => {
    expect(await client.searchOperatorInformation(['+18332016898'])).toEqual({
      values: [
        {
          phoneNumber: '+18332016898',
          nationalFormat: '(833) 201-6898',
          internationalFormat: '+1 833-201-6898',
          isoCountryCode: null,
          numberType: null,
          operatorDetails: null,
        },
      ],
    })
  })

  it('with details is the operator that the number was first given to', async () => {
    const { values } = await client.searchOperatorInformation(['+905321234567'], {
      includeAdditionalOperatorDetails: true,
    })
    expect(values).toEqual([
      {
        phoneNumber: '+905321234567',
        nationalFormat: '0532 123 45 67',
        internationalFormat: '+90 532 123 45 67',
        isoCountryCode: 'TR',
        numberType: 'mobile',
        operatorDetails: { name: 'Turkcell', mobileNetworkCode: '01', mobileCountryCode: '286' },
      },
    ])
  })

  it('of a number that was bought here is the one who runs this Linebook', async () => {
    const { values } = await client.searchOperatorInformation(await buy(client), {
      includeAdditionalOperatorDetails: true,
    })
    expect(values).toMatchObject([
      {
        isoCountryCode: 'US',
        numberType: 'geographic',
        operatorDetails: { name: 'Contoso Telecom', mobileNetworkCode: null, mobileCountryCode: null },
      },
    ])
  })

  it('is of one number at a time', async () => {
    await expect(client.searchOperatorInformation(['+18332016898', '+14255550100'])).rejects.toMatchObject({
      name: 'RestError',
      statusCode: 400,
      code: 'BadRequest',
      message: 'Can only accept one phoneNumber',
    })
  })
})
