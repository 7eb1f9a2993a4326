import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inNumberingPlan } from '../../../src/phone-numbers/operator-information/numbering-plan.js'

describe('a number is written as the published service writes it', () => {
  it.each([
    ['a toll-free number of North America', '+18332016898', '(833) 201-6898', '+1 833-201-6898'],
    ['a geographic number of North America', '+14255550100', '(425) 555-0100', '+1 425-555-0100'],
    ['a British number', '+442079460123', '020 7946 0123', '+44 20 7946 0123'],
    ['a British mobile number of fiction', '+447700900123', '07700 900123', '+44 7700 900123'],
    ['a French number', '+33199001234', '01 99 00 12 34', '+33 1 99 00 12 34'],
    ['a German number', '+493023125000', '030 23125000', '+49 30 23125000'],
    ['a Brazilian number, which has a hyphen at home', '+5511912345678', '(11) 91234-5678', '+55 11 91234 5678'],
    ['an international freephone number', '+80012345678', '1234 5678', '+800 1234 5678'],
    ['one too short for its plan: by what follows its calling code', '+123451', '23451', '+1 23451'],
    ['one with the 0 of calls within the country: as it is', '+4402079460123', '02079460123', '+44 02079460123'],
    ['one of no country: as it is', '+9991234567', '9991234567', '+9991234567'],
    ['the shortest there is: as it is', '+12', '12', '+12'],
    ['the longest there is: as it is', '+999999999999999', '999999999999999', '+999999999999999'],
  ])('%s', async (_, e164, national, international) => {
    expect((await inNumberingPlan(e164)).formats).toEqual({ national, international })
  })
})

describe('a number has the country and type that its plan determines', () => {
  it.each([
    ['geographic in the United States', '+14255550100', 'US', 'geographic'],
    ['geographic in Canada', '+14165550100', 'CA', 'geographic'],
    ['toll-free: other; those of North America are listed under the US', '+18332016898', 'US', 'other'],
    ['geographic in Great Britain', '+442079460123', 'GB', 'geographic'],
    ['mobile in Türkiye', '+905321234567', 'TR', 'mobile'],
    ['mobile on Guernsey, which shares +44', '+447781123456', 'GG', 'mobile'],
    ['fictional, in a country that shares +44: neither is told', '+447700900123', null, 'unknown'],
    ['fictional, in a country with a code of its own: the country is told', '+33639980012', 'FR', 'unknown'],
    ['international freephone: other, of no country', '+80012345678', null, 'other'],
    ['not possible', '+123451', null, 'unknown'],
    ['of no country', '+9991234567', null, 'unknown'],
    ['dialled as within the country', '+4402079460123', null, 'unknown'],
  ])('%s', async (_, e164, countryCode, numberType) => {
    expect(await inNumberingPlan(e164)).toMatchObject({ countryCode, numberType })
  })

  it('of a plan that keeps geographic and mobile numbers together, outside North America, the type is unknown', async () => {
    expect(await inNumberingPlan('+528112345678')).toMatchObject({ countryCode: 'MX', numberType: 'unknown' })
  })
})

it('every E.164 number has an answer with all of its digits in both formats', async () => {
  const digits = fc.stringMatching(/^[1-9][0-9]{1,14}$/)
  const callingCodes = fc.constantFrom('1', '44', '49', '33', '90', '54', '52', '39', '7', '800', '888', '999')
  const anyNumber = fc.oneof(
    digits,
    fc.tuple(callingCodes, digits).map(([code, rest]) => `${code}${rest}`.slice(0, 15)),
  )
  await fc.assert(
    fc.asyncProperty(anyNumber, async (number) => {
      const { formats, countryCode } = await inNumberingPlan(`+${number}`)
      expect(formats.international).toMatch(/^\+\d/)
      expect(formats.international.replace(/\D/g, '')).toBe(number)
      expect(formats.national).not.toBe('')
      expect(countryCode ?? 'XX').toMatch(/^[A-Z]{2}$/)
    }),
    { numRuns: 2000 },
  )
})
