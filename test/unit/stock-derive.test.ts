import { describe, expect, it } from 'vitest'
import { PlaceFinder, type GivenNumber } from '../../src/ledger/stock/derive.js'
import { describePlace } from '../../src/ledger/stock/enter.js'

const said = (phoneNumber: string, given: Partial<GivenNumber> = {}): GivenNumber => ({
  phoneNumber,
  countryCode: '',
  phoneNumberType: '',
  areaCode: '',
  locality: '',
  administrativeDivision: '',
  ...given,
})

/** The place as text, or the problem. */
const placeOf = (phoneNumber: string, given?: Partial<GivenNumber>): string => {
  const place = new PlaceFinder().placeOf(said(phoneNumber, given))
  return typeof place === 'string' ? place : describePlace(place)
}

describe('the place of a number of which only the number is given', () => {
  it.each([
    ['+12065550100', 'US geographic 206'],
    ['+14165550100', 'CA geographic 416'],
    ['+18095551234', 'DO geographic 809'],
    ['+16846221234', 'AS geographic 684'],
    ['+16842581234', 'AS mobile 684'],
    ['+18885550100', 'US tollFree 888'],
  ])('%s is derived in the North American plan: %s', (phoneNumber, place) => {
    expect(placeOf(phoneNumber)).toBe(place)
  })

  it.each([
    ['+442079460000', 'the number does not tell its area code: give areaCode'],
    ['+4915228817386', 'the number does not tell its area code: give areaCode'],
    ['+19005550100', /^the number may be of US, .* give countryCode; the number is of type PREMIUM_RATE: give phone/],
    ['+12000000000', /^the number does not tell its country: give countryCode; .* give phoneNumberType$/],
    ['+123451', /give countryCode; .* give phoneNumberType; .* give areaCode$/],
    ['+80012345678', /^the number does not tell its country: give countryCode; .* give areaCode$/],
    ['+9991000000', /give countryCode; .* give phoneNumberType; .* give areaCode$/],
  ])('%s is not certain, and everything that is missing is asked for at once', (phoneNumber, problem) => {
    expect(placeOf(phoneNumber)).toEqual(expect.stringMatching(problem))
  })
})

describe('the country', () => {
  it.each([
    ['+442079460000', '20', 'GB'],
    ['+441481256789', '1481', 'GG'],
    ['+74951234567', '495', 'RU'],
    // In no plan, but nobody else has +33.
    ['+33639981234', '6', 'FR'],
  ])('of %s, area code %s, is %s', (phoneNumber, areaCode, country) => {
    expect(placeOf(phoneNumber, { areaCode, phoneNumberType: 'geographic' })).toBe(`${country} geographic ${areaCode}`)
  })

  it.each([
    ['+61491570156', '4', 'AU or CC or CX'],
    ['+590690001234', '690', 'GP or BL or MF'],
    ['+448081570000', '808', 'GB or GG'],
    ['+78001234567', '800', 'RU or KZ'],
    ['+393123456789', '312', 'IT or VA'],
  ])('of %s is asked for, since several have it', (phoneNumber, areaCode, countries) => {
    expect(placeOf(phoneNumber, { areaCode })).toBe(`the number may be of ${countries}: give countryCode`)
  })

  it('is taken in any case', () => {
    expect(placeOf('+12065550100', { countryCode: 'us' })).toBe('US geographic 206')
  })

  it('has to fit the calling code, and to exist', () => {
    expect(placeOf('+12065550100', { countryCode: 'GB' })).toBe(
      'countryCode GB is +44, which +12065550100 does not begin with',
    )
    expect(placeOf('+12065550100', { countryCode: 'ZZ' })).toBe('countryCode ZZ is no country with phone numbers')
    for (const countryCode of ['USA', 'U', 'ß', '1A']) {
      expect(placeOf('+12065550100', { countryCode })).toBe(`countryCode "${countryCode}" is not two letters, e.g. US`)
    }
  })

  it('may be any that shares the calling code', () => {
    expect(placeOf('+12065550100', { countryCode: 'CA' })).toBe('CA geographic 206')
  })

  it('may be any for test numbers', () => {
    const given = { phoneNumberType: 'mobile', areaCode: '100' }
    expect(placeOf('+9991000000', { countryCode: 'DE', ...given })).toBe('DE mobile 100')
    expect(placeOf('+9991000000', { countryCode: 'ZZ', ...given })).toBe('ZZ mobile 100')
    // As emulators make them up: with the calling code of the country behind the one of tests.
    expect(placeOf('+99949100000001', { countryCode: 'DE', ...given })).toBe('DE mobile 100')
  })
})

describe('the type', () => {
  it.each([
    ['+442079460000', 'GB', '20', 'geographic'],
    ['+4915228817386', 'DE', '152', 'mobile'],
    ['+448081570000', 'GB', '808', 'tollFree'],
  ])('of %s is derived', (phoneNumber, countryCode, areaCode, type) => {
    expect(placeOf(phoneNumber, { countryCode, areaCode })).toBe(`${countryCode} ${type} ${areaCode}`)
  })

  it('is asked for where geographic and mobile numbers look alike outside North America', () => {
    expect(placeOf('+525512345678', { areaCode: '55' })).toBe(
      'the number may be geographic or mobile: give phoneNumberType',
    )
  })

  it('is asked for where it is none of ours, or the number is in no plan', () => {
    expect(placeOf('+15005550100', { countryCode: 'US' })).toBe(
      'the number is of type PERSONAL_NUMBER: give phoneNumberType',
    )
    expect(placeOf('+447700900123', { countryCode: 'GB', areaCode: '7700' })).toBe(
      'the number does not tell its type: give phoneNumberType',
    )
  })

  it.each(['tollFree', 'TOLLFREE', 'tollfree'])('is taken as "%s"', (phoneNumberType) => {
    expect(placeOf('+12065550100', { phoneNumberType })).toBe('US tollFree 206')
  })

  it('has to be one of ours', () => {
    expect(placeOf('+12065550100', { phoneNumberType: 'voip' })).toBe(
      'phoneNumberType "voip" is none of geographic, tollFree, mobile',
    )
  })
})

describe('the area code', () => {
  it('has to be what follows the calling code', () => {
    expect(placeOf('+12065550100', { areaCode: '2065' })).toBe('US geographic 2065')
    expect(placeOf('+12065550100', { areaCode: '425' })).toBe('areaCode 425 is not what follows +1 in +12065550100')
    expect(placeOf('+442079460000', { areaCode: '020' })).toBe(
      'areaCode 020 is not what follows +44 in +442079460000; leave out the 0 of calls within the country',
    )
    expect(placeOf('+9991000000', { countryCode: 'US', phoneNumberType: 'mobile', areaCode: '200' })).toBe(
      'areaCode 200 is not what follows +999 in +9991000000',
    )
  })

  it.each(['20x', '123456789', '-20'])('is not "%s"', (areaCode) => {
    expect(placeOf('+12065550100', { areaCode })).toBe(`areaCode "${areaCode}" is not 1 to 8 digits, e.g. 425`)
  })
})

describe('the number', () => {
  it.each(['12065550100', '+0123', '+1 206 555 0100', '', '+1234567890123456'])('is not "%s"', (phoneNumber) => {
    expect(placeOf(phoneNumber)).toBe(`phoneNumber "${phoneNumber}" is not an E.164 number, e.g. +14255550100`)
  })

  it('is refused with the 0 of national calls in it, naming the one that is meant', () => {
    expect(placeOf('+4402079460000', { areaCode: '20' })).toBe(
      'phoneNumber +4402079460000 has digits too many for its country; is +442079460000 meant?',
    )
  })

  it('is quoted so that nothing in it acts on a terminal, and cut short', () => {
    expect(placeOf('\u001b[2Jx')).toBe('phoneNumber "\\u001b[2Jx" is not an E.164 number, e.g. +14255550100')
    expect(placeOf('9'.repeat(1000)).length).toBeLessThan(120)
  })
})

describe.each(['locality', 'administrativeDivision'] as const)('the %s', (field) => {
  it('may be left out, and may be up to 200 characters of any script', () => {
    expect(placeOf('+12065550100', { [field]: 'São Paulo' })).toBe('US geographic 206 (São Paulo)')
    expect(placeOf('+12065550100', { [field]: '𝄞'.repeat(200) })).toMatch(/^US geographic 206 \(𝄞/u)
    expect(placeOf('+12065550100', { [field]: 'x'.repeat(201) })).toMatch(`${field} "xxx`)
    expect(placeOf('+12065550100', { [field]: 'x'.repeat(201) })).toMatch(/is longer than 200 characters$/)
  })

  it('has neither control characters nor the marks of a wrong encoding', () => {
    expect(placeOf('+12065550100', { [field]: 'a\nb' })).toBe(`${field} "a\\nb" has control characters in it`)
    expect(placeOf('+12065550100', { [field]: 'S\ufffdo' })).toBe(`${field} "S\ufffdo" is not UTF-8 text`)
  })
})

describe('a finder of places', () => {
  it('gives equal places as one object, however they were written', () => {
    const finder = new PlaceFinder()
    const place = finder.placeOf(said('+12065550100'))
    const all = { countryCode: 'us', phoneNumberType: 'Geographic', areaCode: '206' }
    expect(finder.placeOf(said('+12065550101', all))).toBe(place)
    expect(finder.placeOf(said('+9992060000', all))).toBe(place)
  })
})
