import { describe, expect, it } from 'vitest'
import { addressFault, readAddress } from '../../../src/buyers/address.js'

const dublin = { line: '1 Main Street', city: 'Dublin', postalCode: 'D02 X285' }
const seattle = { line: '1 Main Street', city: 'Seattle', postalCode: '98101', state: 'WA' }

describe('an address', () => {
  it.each([
    ['IE', dublin],
    ['IE', { ...dublin, postalCode: 'd02x285' }],
    ['US', seattle],
    ['US', { ...seattle, postalCode: '98101-1234' }],
    ['GB', { ...dublin, postalCode: 'SW1A 1AA' }],
    ['NL', { ...dublin, postalCode: '1012 AB' }],
    // A country without postal codes, and one that nobody here knows.
    ['AE', { ...dublin, postalCode: '' }],
    ['XX', { ...dublin, postalCode: 'whatever' }],
  ])('of %s is valid: %o', (countryCode, address) => {
    expect(addressFault(countryCode, address)).toBeUndefined()
  })

  it.each([
    ['IE', { ...dublin, line: ' ' }, 'the street is missing.'],
    ['IE', { ...dublin, city: '' }, 'the city is missing.'],
    ['IE', { ...dublin, postalCode: '' }, 'the postal code is missing.'],
    ['IE', { ...dublin, postalCode: '98101' }, '"98101" is not a postal code of IE.'],
    ['US', { ...seattle, postalCode: '981' }, '"981" is not a postal code of US.'],
    ['US', { ...seattle, state: '' }, 'the state or province is missing.'],
    ['CA', { ...dublin, postalCode: 'K1A 0B1' }, 'the state or province is missing.'],
  ])('of %s that is not valid says why: %o', (countryCode, address, fault) => {
    expect(addressFault(countryCode, address)).toBe(fault)
  })

  it('is kept as it was given, what was left out as nothing', () => {
    expect(readAddress({ line: '1 Main Street' })).toEqual({ line: '1 Main Street', city: '', postalCode: '' })
    expect(readAddress(seattle)).toEqual(seattle)
  })

  it('has no part of more than 200 characters', () => {
    expect(() => readAddress({ ...dublin, line: 'x'.repeat(201) })).toThrow('200 characters')
  })
})
