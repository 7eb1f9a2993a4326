import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { DomainError } from '../../../src/errors.js'
import { addressFields } from '../../../src/provisioning/filter/address-fields.js'
import { consentFields } from '../../../src/provisioning/filter/consent-fields.js'
import { checkFilter, type FilterFields } from '../../../src/provisioning/filter/fields.js'
import {
  MAX_FILTER_CHARS,
  MAX_FILTER_DEPTH,
  MAX_FILTER_NODES,
  parseFilter,
  type Filter,
} from '../../../src/provisioning/filter/parse.js'
import { filters, printFilter } from '../../fixtures/filters.js'

const fields: FilterFields = {
  a: { type: 'number', sql: sql`a` },
  b: { type: 'number', sql: sql`b` },
  name: { type: 'string', sql: sql`name` },
  enabled: { type: 'boolean', sql: sql`enabled` },
  tenantId: { type: 'guid', sql: sql`tenant_id` },
  at: { type: 'dateTime', sql: sql`at` },
  'serviceDetails/teamsOperatorConnect/enabled': { type: 'boolean', sql: sql`oc` },
  'serviceDetails/teamsPhoneMobile/enabled': { type: 'boolean', sql: sql`tpm` },
}

/** A filter with its structure in brackets. */
function structure(filter: Filter): string {
  switch (filter.kind) {
    case 'or':
    case 'and':
      return `(${filter.of.map(structure).join(` ${filter.kind} `)})`
    case 'not':
      return `(not ${structure(filter.of)})`
    default:
      return printFilter(filter)
  }
}

function refusal(text: string, over: FilterFields = fields): DomainError {
  try {
    checkFilter(parseFilter(text), over)
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
  throw new Error(`${text} was not refused`)
}

describe('precedence', () => {
  it.each([
    ['a eq 1 or b eq 2 and enabled', '(a eq 1 or (b eq 2 and enabled))'],
    ['a eq 1 and b eq 2 or enabled', '((a eq 1 and b eq 2) or enabled)'],
    ['(a eq 1 or b eq 2) and enabled', '((a eq 1 or b eq 2) and enabled)'],
    ['not a le 1', '(not a le 1)'],
    ['not a le 1 and enabled', '((not a le 1) and enabled)'],
    ['not enabled or enabled', '((not enabled) or enabled)'],
    ['not (a le 1 and enabled)', '(not (a le 1 and enabled))'],
    ['not (not enabled)', '(not (not enabled))'],
    ['enabled or enabled or enabled', '(enabled or enabled or enabled)'],
    ['((enabled))', 'enabled'],
    ["not startswith(name,'x')", "(not startswith(name,'x'))"],
  ])('%s means %s', (text, expected) => {
    expect(structure(parseFilter(text))).toBe(expected)
  })
})

describe('a literal', () => {
  it.each([
    ["name eq 'O''Brien'", { type: 'string', value: "O'Brien" }],
    ["name eq ''''", { type: 'string', value: "'" }],
    ["name eq ''", { type: 'string', value: '' }],
    ["name eq 'and (or) not'", { type: 'string', value: 'and (or) not' }],
    ['a eq -12.5e+2', { type: 'number', value: -1250 }],
    ['a eq 007', { type: 'number', value: 7 }],
    ['enabled eq true', { type: 'boolean', value: true }],
    ['enabled eq false', { type: 'boolean', value: false }],
    ['a eq null', { type: 'null' }],
    ['at eq 2024-02-29T12:00:00Z', { type: 'dateTime', value: new Date('2024-02-29T12:00:00Z') }],
    ['at eq 2024-02-29t12:00:00.1234567z', { type: 'dateTime', value: new Date('2024-02-29T12:00:00.123Z') }],
    ['at eq 2024-02-29T12:00:00+05:30', { type: 'dateTime', value: new Date('2024-02-29T06:30:00Z') }],
    ['at eq 0099-12-31T23:00:00-02:00', { type: 'dateTime', value: new Date('0100-01-01T01:00:00Z') }],
  ])('of %s is %j', (text, literal) => {
    expect(parseFilter(text)).toMatchObject({ kind: 'compare', literal })
  })
})

it('a path may be written with slashes or dots', () => {
  const [slashes, dots] = ['x/y/z', 'x.y/z'].map((path) => parseFilter(`${path} eq 1`))
  expect(slashes).toMatchObject({ path: 'x/y/z' })
  expect(dots).toEqual(slashes)
})

it('space is free between tokens', () => {
  expect(parseFilter("  (\ta eq\n1)and\r\nstartswith( name , 'x' ) ")).toMatchObject({ kind: 'and' })
})

it('a filter that is written out and read again is the same', () => {
  fc.assert(
    fc.property(filters, (filter) => {
      const atZero = (_: string, part: unknown) => (_ === 'position' ? 0 : part)
      const again = JSON.parse(JSON.stringify(parseFilter(printFilter(filter))), atZero)
      expect(again).toEqual(JSON.parse(JSON.stringify(filter)))
    }),
  )
})

describe('a filter that is wrong is refused with place and remedy', () => {
  it.each([
    ['', 1, 'a property, a function or "("', 'the end'],
    ['   ', 4, 'a property, a function or "("', 'the end'],
    ['a', undefined, 'a takes a number', 'no condition by itself'],
    ['a eq', 5, 'a text in single quotes, a number', 'the end'],
    ['a eq b', 6, 'a text in single quotes, a number', '"b"'],
    ['a eqq 1', 3, '"eq", "ne", "gt", "ge", "lt", "le"', '"eqq"'],
    ['a EQ 1', 3, '"eq", "ne"', '"EQ"'],
    ['a = 1', 3, 'an operator', '"="'],
    ['1 eq a', 1, 'a property', '"1"'],
    ["'x' eq name", 1, 'a property', `"'x'"`],
    ['true', 1, 'a property', '"true"'],
    ['a eq 1 and', 11, 'a property', 'the end'],
    ['a eq 1 AND b eq 1', 8, '"and", "or" or the end', '"AND"'],
    ['and a eq 1', 1, 'a property', '"and"'],
    ['a eq 1 b eq 1', 8, '"and", "or" or the end', '"b"'],
    ['a eq 1)', 7, '"and", "or" or the end', '")"'],
    ['(a eq 1', 8, '"and", "or" or ")"', 'the end'],
    ['(a eq 1,', 8, '"and", "or" or ")"', '","'],
    ['()', 2, 'a property', '")"'],
    ['not', 4, 'a property', 'the end'],
    ['not not enabled', 5, 'a property', '"not"'],
    ["name eq 'x", 11, 'the quote that ends the text of character 9', 'the end'],
    ["name eq 'x''", 13, 'the quote that ends the text of character 9', 'the end'],
    ['name eq "x"', 9, 'texts stand in single quotes', '""'],
    ["name eq 'a\0'", 9, 'a text of Unicode characters', 'others'],
    ["name eq 'a\ud800'", 9, 'a text of Unicode characters', 'others'],
    ['a//b eq 1', 2, 'a property', '"/"'],
    ['/a eq 1', 1, 'a property', '"/"'],
    ['a eq 1x', 6, 'a number', '"1x"'],
    ['a eq 1e999', 6, 'a number', '"1e999"'],
    ['a eq +1', 6, 'a property', '"+"'],
    ['a eq 72f988bf-86f1', 6, 'a text in single quotes', '"72f988bf-86f1"'],
    ['at eq 2024-02-30T00:00:00Z', 7, 'a date-time such as', '"2024-02-30T00:00:00Z"'],
    ['at eq 2024-02-29T12:00:00 01:00', 7, '%2B', '"2024-02-29T12:00:00"'],
    ['at eq 2024-02-29', 7, 'a date-time such as', '"2024-02-29"'],
    ["matches(name,'x')", 1, 'one of startswith, endswith, contains', '"matches"'],
    ["StartsWith(name,'x')", 1, 'one of startswith, endswith, contains', '"StartsWith"'],
    ["contains 'x'", 10, '"eq"', `"'x'"`],
    ['contains(name)', 14, '","', '")"'],
    ['contains(name,1)', 15, 'a text in single quotes', '"1"'],
    ["contains('x',name)", 10, 'a property', `"'x'"`],
    ["contains(name,'x'", 18, '")"', 'the end'],
    ["contains(name,'x') eq true", 20, '"and", "or" or the end', '"eq"'],
  ])('%j', (text, character, expected, found) => {
    const { kind, target, message } = refusal(text)
    expect([kind, target]).toEqual(['invalid-filter', 'filter'])
    if (character !== undefined) expect(message).toContain(`at character ${character}: `)
    expect(message).toContain(expected)
    expect(message).toContain(found)
  })
})

describe('the size of a filter is bounded', () => {
  const bracketed = (depth: number) => '('.repeat(depth) + 'enabled' + ')'.repeat(depth)
  const conditions = (count: number) => Array.from({ length: count }, () => 'a').join(' or ')

  it('in characters', () => {
    const text = (length: number) => `name eq '${'x'.repeat(length - 10)}'`
    expect(parseFilter(text(MAX_FILTER_CHARS))).toMatchObject({ kind: 'compare' })
    expect(refusal(text(MAX_FILTER_CHARS + 1)).message).toContain(`at most ${MAX_FILTER_CHARS} characters`)
  })
  it('in nesting', () => {
    expect(parseFilter(bracketed(MAX_FILTER_DEPTH))).toMatchObject({ kind: 'path' })
    expect(refusal(bracketed(MAX_FILTER_DEPTH + 1)).message).toContain(`at most ${MAX_FILTER_DEPTH} brackets`)
    expect(refusal('('.repeat(MAX_FILTER_CHARS)).message).toContain(`at most ${MAX_FILTER_DEPTH} brackets`)
    expect(refusal('not ('.repeat(800)).message).toContain(`at most ${MAX_FILTER_DEPTH} brackets`)
  })
  it('side by side brackets are not nested', () => {
    expect(parseFilter(Array.from({ length: 2 * MAX_FILTER_DEPTH }, () => '(a eq 1)').join(' and '))).toBeDefined()
  })
  it('in parts', () => {
    expect(parseFilter(conditions(MAX_FILTER_NODES - 1))).toMatchObject({ kind: 'or' })
    expect(refusal(conditions(MAX_FILTER_NODES)).message).toContain(`at most ${MAX_FILTER_NODES} parts`)
  })
})

describe('a property', () => {
  it('that is unknown is reported with the nearest known ones', () => {
    const { kind, target, message } = refusal("naem eq 'x'")
    expect([kind, target]).toEqual(['invalid-filter', 'filter'])
    expect(message).toMatch(/character 1: "naem"\. Near it there is name, /)
    expect(refusal('teamsPhoneMobile/enabled').message).toContain('serviceDetails/teamsPhoneMobile/enabled')
    expect(refusal('a eq 1 and tenantid ne null').message).toMatch(
      /character 12: "tenantid"\. Near it there is tenantId,/,
    )
  })
  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'Name', 'serviceDetails'])(
    'called %s is unknown',
    (name) => expect(refusal(`${name} eq 'x'`).message).toContain(`unknown property at character 1: "${name}"`),
  )
  it('is reported as unknown although there is none', () => {
    expect(refusal('x', {}).message).toContain('no property to filter by')
  })
  it.each([
    ['name eq 1', 'name takes a text in single quotes, not compared with a number'],
    ['tenantId eq 1', 'tenantId takes a text in single quotes, not compared with a number'],
    ["a eq '1'", 'a takes a number, not compared with a text in single quotes'],
    ["enabled eq 'true'", 'enabled takes true or false, not compared with a text in single quotes'],
    ['enabled eq 1', 'enabled takes true or false, not compared with a number'],
    ["at gt '2024-02-29T12:00:00Z'", 'at takes a date-time such as 2024-02-29T12:00:00Z (without quotes)'],
    ['at gt 2024', 'at takes a date-time such as'],
    ["contains(a,'1')", 'a takes a number, so contains has nothing to look at'],
    ["startswith(at,'2024')", 'at takes a date-time'],
    ['name', 'name takes a text in single quotes, so it is no condition by itself'],
    ['enabled and not (at)', 'at takes a date-time'],
  ])('takes its own type: %s', (text, message) => expect(refusal(text).message).toContain(message))
})

describe('the fields of items from backends', () => {
  it('have none for lists and objects', () => {
    for (const name of ['contacts', 'consentedCountries', 'customerRelationship', 'serviceProvisioningErrors']) {
      expect(Object.keys(consentFields)).not.toContain(name)
    }
    expect(Object.keys(addressFields)).toHaveLength(22)
    expect(Object.keys(addressFields)).not.toContain('locations')
  })
})
