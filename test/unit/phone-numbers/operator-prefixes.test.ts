import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  operatorPrefixes,
  OperatorPrefixes,
  unknownOperator,
} from '../../../src/phone-numbers/operator-information/operator-prefixes.js'

describe('the operator of a number', () => {
  const table = new OperatorPrefixes({
    prefixes: {
      44: { Broad: '7', Narrow: '77009', 'Narrow Too': '7701 77021' },
      4477: { 'Odd One': '03' },
    },
    networks: { GB: { Narrow: '234-15', 'Narrow Too': '234' } },
  })

  it.each([
    ['has the longest prefix that fits', '+447700900123', 'Narrow'],
    ['has a shorter one when no longer one fits', '+447799900123', 'Broad'],
    ['may have several prefixes', '+447702100123', 'Narrow Too'],
    ['has a prefix as long as the number', '+4477009', 'Narrow'],
    ['is told across the border of calling codes', '+447703123456', 'Odd One'],
  ])('%s', (_, e164, name) => {
    expect(table.find(e164, null).name).toBe(name)
  })

  it.each(['+442079460123', '+4', '+9991234567', '+12'])('is unknown when no prefix fits %s', (e164) => {
    expect(table.find(e164, 'GB')).toEqual({ name: null, mobileNetworkCode: null, mobileCountryCode: null })
  })

  it('comes with the codes of its network as far as they are certain, in the country of the number', () => {
    expect(table.find('+447700900123', 'GB')).toEqual({
      name: 'Narrow',
      mobileNetworkCode: '15',
      mobileCountryCode: '234',
    })
    expect(table.find('+447701000123', 'GB')).toEqual({
      name: 'Narrow Too',
      mobileNetworkCode: null,
      mobileCountryCode: '234',
    })
    expect(table.find('+447700900123', 'IM')).toEqual({ ...unknownOperator, name: 'Narrow' })
    expect(table.find('+447700900123', null)).toEqual({ ...unknownOperator, name: 'Narrow' })
  })

  it('is the one that a search through all prefixes finds', () => {
    const prefix = fc.stringMatching(/^[1-3]{1,5}$/)
    fc.assert(
      fc.property(fc.uniqueArray(prefix, { maxLength: 20 }), fc.stringMatching(/^[1-3]{2,8}$/), (prefixes, digits) => {
        const operators = Object.fromEntries(prefixes.map((text) => [`Operator ${text}`, text]))
        const longest = prefixes
          .filter((text) => digits.startsWith(text))
          .sort((a, b) => b.length - a.length)
          .map((text) => `Operator ${text}`)[0]
        const found = new OperatorPrefixes({ prefixes: { 9: operators }, networks: {} }).find(`+9${digits}`, null)
        expect(found.name).toBe(longest ?? null)
      }),
    )
  })
})

describe('the table that comes with Linebook', () => {
  it('knows operators by name, with the codes of their networks where these are certain', async () => {
    const table = await operatorPrefixes()
    expect(table.find('+905321234567', 'TR')).toEqual({
      name: 'Turkcell',
      mobileNetworkCode: '01',
      mobileCountryCode: '286',
    })
    expect(table.find('+447514123456', 'GB').name).toBe('O2')
    expect(table.find('+4917112345678', 'DE').name).not.toBeNull()
  })

  it('is read once', async () => {
    expect(await operatorPrefixes()).toBe(await operatorPrefixes())
  })
})
