import { describe, expect, it } from 'vitest'
import { refuseOffering, refuseQuantity, type Buyer, type Wanted } from '../../../src/buyers/buyer.js'
import { parseEntitlement } from '../../../src/buyers/entitlement.js'
import { newId } from '../../../src/ids.js'

const aBuyer = (over: Partial<Buyer> = {}): Buyer => ({
  resourceId: newId(),
  name: 'contoso',
  pool: '',
  numberLimit: null,
  entitledTo: null,
  addresses: {},
  ...over,
})
const wanted: Wanted = {
  countryCode: 'US',
  numberType: 'tollFree',
  assignmentType: 'application',
  addressRequired: false,
}

describe('a resource', () => {
  it.each([null, ['US'], ['US:tollFree'], ['US:tollFree:application'], ['IE', 'US:geographic', 'US:tollFree']])(
    'that is entitled to %o may buy toll-free numbers of the US for an application',
    (entitledTo) => {
      expect(refuseOffering(aBuyer({ entitledTo }), wanted)).toBeUndefined()
    },
  )

  it.each([[[]], [['IE']], [['US:geographic']], [['US:tollFree:person']]])(
    'that is entitled to %o may not, and is told what it may buy',
    (entitledTo) => {
      const refusal = refuseOffering(aBuyer({ entitledTo }), wanted)
      expect(refusal).toMatchObject({
        code: 'AuthorizationDenied',
        message: 'The resource may not acquire tollFree numbers of US for an application.',
        details: [{ code: 'NotEntitled' }],
      })
      const [{ message } = { message: '' }] = refusal?.details ?? []
      expect(message).toContain(entitledTo.join(', ') || 'nothing')
      expect(message).toContain('linebook resource entitle contoso')
    },
  )

  it('needs an address where the offering asks for one, in the country of the offering', () => {
    const needed = { ...wanted, addressRequired: true }
    const valid = { line: '1 Main Street', city: 'Seattle', postalCode: '98101', state: 'WA' }
    expect(refuseOffering(aBuyer({ addresses: { US: valid } }), needed)).toBeUndefined()
    expect(refuseOffering(aBuyer({ addresses: { CA: valid } }), needed)).toMatchObject({
      code: 'MissingAddress',
      details: [{ code: 'AddressNeeded', message: expect.stringContaining('linebook resource address contoso US') }],
    })
    expect(refuseOffering(aBuyer({ addresses: { US: { ...valid, postalCode: '1' } } }), needed)).toMatchObject({
      code: 'InvalidAddress',
      message: expect.stringContaining('"1" is not a postal code of US.'),
    })
    expect(refuseOffering(aBuyer({ addresses: { US: { ...valid, postalCode: '1' } } }), wanted)).toBeUndefined()
  })

  it('may own as many numbers as its limit, and a refusal says how many are left', () => {
    const buyer = aBuyer({ numberLimit: 5 })
    expect(refuseQuantity(aBuyer(), 1_000, 1_000)).toBeUndefined()
    expect(refuseQuantity(buyer, 2, 3)).toBeUndefined()
    expect(refuseQuantity(buyer, 3, 3)).toMatchObject({
      code: 'NotEnoughLicenses',
      details: [{ code: 'LargestQuantity', message: expect.stringContaining('Up to 2 would do'), target: 'quantity' }],
    })
    // The limit was lowered under what it owns.
    expect(refuseQuantity(buyer, 1, 9)?.details?.[0]?.message).toContain('Release numbers first')
    expect(refuseQuantity(aBuyer({ numberLimit: 0 }), 1, 0)?.code).toBe('NotEnoughLicenses')
  })
})

describe('an entitlement', () => {
  it.each([
    ['US', 'US'],
    ['ie', 'IE'],
    ['us:tollFree', 'US:tollFree'],
    ['US:geographic:person', 'US:geographic:person'],
  ])('is %s', (text, entitlement) => {
    expect(parseEntitlement(text)).toBe(entitlement)
  })

  it.each([
    '',
    'USA',
    '*',
    ':tollFree',
    'US:',
    'US:tollfree',
    'US:tollFree:',
    'US:tollFree:robot',
    'US:mobile:person:x',
  ])('is not "%s", and good ones are named', (text) => {
    expect(() => parseEntitlement(text)).toThrow('US:tollFree:application')
  })
})
