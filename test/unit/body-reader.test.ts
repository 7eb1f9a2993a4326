/** What bodies of the Operator API may be, and that every fault says where, what sort, and what would be right. */
import fc from 'fast-check'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { policies } from '../../src/http/body-policies.js'
import { reader } from '../../src/http/body-reader.js'

const strictly = { additionalProperties: false }
const Item = Type.Object(
  {
    countryCode: Type.String({ pattern: '^[A-Z]{2}$' }),
    numberType: Type.Optional(Type.Enum(['geographic', 'tollFree'])),
    quantity: Type.Integer({ minimum: 1, maximum: 10_000 }),
    share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    locality: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 20 }), Type.Null()])),
  },
  strictly,
)
const Body = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 10 }),
    stock: Type.Optional(Type.Array(Item, { minItems: 1, maxItems: 30 })),
    terms: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Z]{2}$' }), Type.Boolean(), strictly)),
    after: Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Integer({ minimum: 0 })])),
    until: Type.Optional(Type.String({ format: 'date-time' })),
    dryRun: Type.Optional(Type.Literal(true)),
  },
  strictly,
)
const read = reader(Body, policies.operator)
const faultsOf = (value: unknown) => read(value).faults.map(({ pointer, code, detail }) => [pointer, code, detail])

describe('a body that is right', () => {
  it('is read as it is, choices and optional parts included', () => {
    const bodies = [
      { name: 'a' },
      { name: 'a', stock: [{ countryCode: 'US', quantity: 3, numberType: 'tollFree', share: 0.5, locality: null }] },
      { name: 'a', terms: { DE: true }, after: 'PT5M', until: '2024-02-29T12:00:00Z', dryRun: true },
      { name: 'a', after: 5 },
    ]
    for (const body of bodies) expect(read(body)).toEqual({ value: body, faults: [] })
  })
})

describe('a fault has its pointer, its code and what would be right', () => {
  const item = { countryCode: 'US', quantity: 1 }
  it.each([
    [[], '', 'wrong-type', 'The body must be a JSON object, not an array.'],
    [{}, '/name', 'required', 'name is required: a text of 1 to 10 characters.'],
    [{ name: 7 }, '/name', 'wrong-type', 'name must be a text of 1 to 10 characters, not 7.'],
    [{ name: '' }, '/name', 'out-of-range', 'name must be a text of 1 to 10 characters, not "".'],
    [
      { name: 'a\0b' },
      '/name',
      'bad-format',
      'name must be text without U+0000 and without halves of surrogate pairs; no database keeps them.',
    ],
    [
      { name: 'a', Stock: [] },
      '/Stock',
      'unknown-property',
      '"Stock" is not a property of the body: stock is; letter case counts.',
    ],
    [
      { name: 'a', 'a/b~c': 1 },
      '/a~1b~0c',
      'unknown-property',
      '"a/b~c" is not a property of the body: it has name, stock, terms, after, until, dryRun.',
    ],
    [{ name: 'a', stock: null }, '/stock', 'wrong-type', 'stock must be a JSON array of 1 to 30 items, not null.'],
    [{ name: 'a', stock: [] }, '/stock', 'out-of-range', 'stock must have 1 to 30 items, not 0.'],
    [
      { name: 'a', stock: [item, { ...item, quantity: 0 }] },
      '/stock/1/quantity',
      'out-of-range',
      'stock[1].quantity must be a whole number from 1 to 10000, not 0.',
    ],
    [
      { name: 'a', stock: [{ ...item, quantity: 1.5 }] },
      '/stock/0/quantity',
      'wrong-type',
      'stock[0].quantity must be a whole number from 1 to 10000, not 1.5.',
    ],
    [
      { name: 'a', stock: [{ ...item, share: 0 }] },
      '/stock/0/share',
      'out-of-range',
      'stock[0].share must be a number above 0 and up to 1, not 0.',
    ],
    [
      { name: 'a', stock: [{ ...item, countryCode: 'us' }] },
      '/stock/0/countryCode',
      'bad-format',
      'stock[0].countryCode must be a text that matches ^[A-Z]{2}$, not "us".',
    ],
    [
      { name: 'a', stock: [{ ...item, numberType: 'tollfree' }] },
      '/stock/0/numberType',
      'not-allowed',
      'stock[0].numberType must be one of geographic, tollFree, not "tollfree".',
    ],
    [
      { name: 'a', stock: [{ ...item, locality: 5 }] },
      '/stock/0/locality',
      'wrong-type',
      'stock[0].locality must be a text of 1 to 20 characters, or null, not 5.',
    ],
    [
      { name: 'a', terms: { de: true } },
      '/terms/de',
      'unknown-property',
      '"de" is not a property of terms: names there match ^[A-Z]{2}$.',
    ],
    [{ name: 'a', terms: { DE: 1 } }, '/terms/DE', 'wrong-type', 'terms.DE must be true or false, not 1.'],
    [
      { name: 'a', after: [] },
      '/after',
      'wrong-type',
      'after must be a text of 0 to 100 characters or a whole number, 0 or more, not an array.',
    ],
    [
      { name: 'a', after: -1 },
      '/after',
      'out-of-range',
      'after must be a text of 0 to 100 characters or a whole number, 0 or more, not -1.',
    ],
    [
      { name: 'a', until: 'tomorrow' },
      '/until',
      'bad-format',
      'until must be a date-time such as 2024-02-29T12:00:00Z, not "tomorrow".',
    ],
    [{ name: 'a', dryRun: false }, '/dryRun', 'not-allowed', 'dryRun must be true, not false.'],
  ])('%j', (body, pointer, code, detail) => {
    expect(faultsOf(body)).toEqual([[pointer, code, detail]])
  })
})

it('all faults of a body are reported, in the order of the schema', () => {
  const body = { stock: [{ quantity: 0, size: 1 }, 7], dryRun: 'yes' }
  expect(faultsOf(body).map(([pointer, code]) => [pointer, code])).toEqual([
    ['/name', 'required'],
    ['/stock/0/size', 'unknown-property'],
    ['/stock/0/countryCode', 'required'],
    ['/stock/0/quantity', 'out-of-range'],
    ['/stock/1', 'wrong-type'],
    ['/dryRun', 'not-allowed'],
  ])
})

it('at most twenty faults are reported, and only the beginning of a long name or value', () => {
  const body = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${'x'.repeat(500)}${index}`, 1]))
  const { faults } = read({ ...body, name: 'y'.repeat(5_000) })
  expect(faults).toHaveLength(20)
  for (const { pointer, detail } of faults) expect(pointer.length + detail.length).toBeLessThan(400)
})

it('a name that every object inherits is no property', () => {
  const body = JSON.parse('{"name": "a", "__proto__": {}, "toString": 1}') as unknown
  expect(faultsOf(body).map(([pointer]) => pointer)).toEqual(['/__proto__', '/toString'])
})

it('a place may be given, for what stands within a larger whole', () => {
  const { faults } = reader(Item, policies.operator)({ quantity: 1 }, ['items', 3])
  expect(faults.map(({ path, pointer }) => [path, pointer])).toEqual([
    [['items', 3, 'countryCode'], '/items/3/countryCode'],
  ])
})

it('test controls keep what is unknown of an open object, and refuse it of a closed one', () => {
  const Open = Type.Object({ id: Type.String(), inner: Type.Object({}, strictly) })
  const given: unknown = JSON.parse('{"id": "a", "inner": {"b": 1}, "more": {"c": 2}, "__proto__": 3}')
  const { value, faults } = reader(Open, policies.emulator)(given)
  expect(faults.map(({ pointer }) => pointer)).toEqual(['/inner/b'])
  expect(Object.entries(value)).toEqual([
    ['more', { c: 2 }],
    ['__proto__', 3],
    ['id', 'a'],
    ['inner', {}],
  ])
})

it.each([
  Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]),
  Type.String({ format: 'no-such-format' }),
])('a schema that says what is not understood is no schema of a reader: %#', (schema) => {
  expect(() => reader(schema, policies.operator)).toThrow()
})

it('what is read without faults is what the schema allows, and nothing else is', () => {
  const anItem = fc.record(
    {
      countryCode: fc.constantFrom('US', 'us', 7),
      quantity: fc.constantFrom(1, 0, 1.5, '1'),
      locality: fc.constantFrom('Bonn', '', null),
      more: fc.constant(1),
    },
    { requiredKeys: ['countryCode', 'quantity'] },
  )
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        name: fc.constantFrom('a', '', null),
        stock: fc.oneof(fc.array(anItem, { maxLength: 3 }), fc.jsonValue()),
        terms: fc.dictionary(fc.constantFrom('DE', 'de'), fc.constantFrom(true, null)),
        after: fc.constantFrom('x', 1, -1, null),
      },
      { requiredKeys: ['name'] },
    ),
  )
  fc.assert(
    fc.property(body, (value) => {
      const { faults } = read(value)
      expect(faults.length === 0).toBe(Value.Check(Body, value))
    }),
    { numRuns: 500 },
  )
})
