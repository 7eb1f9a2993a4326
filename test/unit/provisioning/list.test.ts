import { describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { DomainError } from '../../../src/errors.js'
import { parseQuery } from '../../../src/http/server.js'
import type { FilterFields } from '../../../src/provisioning/filter/fields.js'
import {
  currentListRules,
  cutPage,
  DEFAULT_PAGE_SIZE,
  MAX_PAGE_SIZE,
  nextLink,
  oldListRules,
  pageLimit,
  pageOffset,
  readListQuery,
  type ListQuery,
  type ListRules,
} from '../../../src/provisioning/wire/list.js'
import { sortKey } from '../../../src/provisioning/wire/whole-list.js'

const fields: FilterFields = {
  id: { type: 'string', sql: sql`id` },
  odd: { type: 'boolean', sql: sql`odd` },
}

const read = (text: string, rules?: ListRules): ListQuery =>
  readListQuery(parseQuery(`api-version=2024-02-29${text === '' ? '' : `&${text}`}`), fields, rules)

function refusal(text: string, rules?: ListRules): DomainError {
  try {
    read(text, rules)
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
  throw new Error(`${text} was not refused`)
}

describe('the parameters of a list', () => {
  it.each<[string, Partial<ListQuery>]>([
    ['', { skip: 0, pageSize: DEFAULT_PAGE_SIZE, count: false }],
    ['skip=7&top=3&maxpagesize=2', { skip: 7, top: 3, pageSize: 2 }],
    ['skip=2147483647&top=2147483647', { skip: 2_147_483_647, top: 2_147_483_647 }],
    ['maxpagesize=500', { pageSize: MAX_PAGE_SIZE }],
    ['maxpagesize=501', { pageSize: MAX_PAGE_SIZE }],
    ['maxpagesize=2147483647', { pageSize: MAX_PAGE_SIZE }],
    ['countRecords=true', { count: true }],
    ['countRecords=false', { count: false }],
    ['filter=odd', { filterText: 'odd' }],
    ["filter=id+eq+'%2B1'", { filterText: "id eq '+1'" }],
  ])('%s', (text, expected) => expect(read(text)).toMatchObject(expected))

  it('leave out what is not asked for', () => {
    expect(Object.keys(read(''))).toEqual(['skip', 'pageSize', 'count'])
  })

  it.each([
    ['skip=-1', 'skip', 'from 0 to 2147483647, not "-1"'],
    ['skip=1.5', 'skip', 'whole number'],
    ['skip=', 'skip', 'whole number'],
    ['skip=2147483648', 'skip', 'from 0 to 2147483647'],
    ['skip=1e3', 'skip', 'whole number'],
    ['skip=%2B1', 'skip', 'whole number'],
    ['top=0', 'top', 'from 1 to'],
    ['top=-5', 'top', 'from 1 to'],
    ['top=many', 'top', 'not "many"'],
    ['maxpagesize=0', 'maxpagesize', 'from 1 to'],
    ['maxpagesize=2147483648', 'maxpagesize', 'from 1 to'],
    ['countRecords=True', 'countRecords', 'lower case'],
    ['countRecords=1', 'countRecords', 'true or false'],
    ['top=1&top=2', 'top', 'given 2 times'],
    ['filter=odd&filter=odd', 'filter', 'given 2 times'],
    ['after=a', 'after', 'follow nextLink'],
    ['after=YQ%3D%3D', 'after', 'follow nextLink'],
    ['after=AA', 'after', 'follow nextLink'],
    ['after=_w', 'after', 'follow nextLink'],
    [`after=${'YWFh'.repeat(501)}`, 'after', 'follow nextLink'],
  ])('refused: %s', (text, target, message) => {
    expect(refusal(text)).toMatchObject({ kind: 'invalid-input', target, message: expect.stringContaining(message) })
  })

  it.each(['orderby', 'select', 'expand', '$filter', '$top', '$orderby', 'Prefer', ''])(
    'that are unknown are named with those that are known: %s',
    (name) => {
      expect(refusal(`${encodeURIComponent(name)}=x`)).toMatchObject({
        kind: 'unsupported-query-parameter',
        target: name.toLowerCase(),
        message: expect.stringContaining('supported are top, skip, maxpagesize, filter, countRecords.'),
      })
    },
  )

  it('filters are read and checked', () => {
    expect(refusal('filter=')).toMatchObject({ kind: 'invalid-filter', target: 'filter' })
    expect(refusal('filter=nonsense').message).toContain('Near it there is')
    expect(refusal('filter=id')).toMatchObject({ kind: 'invalid-filter' })
  })

  it('that are wrong together are reported together', () => {
    expect(refusal('top=0&skip=x&$top=1')).toMatchObject({
      kind: 'invalid-input',
      faults: [{ target: '$top' }, { target: 'skip' }, { target: 'top' }],
    })
    expect(refusal('$top=1&$skip=1')).toMatchObject({ kind: 'unsupported-query-parameter', faults: [{}, {}] })
    const many = Array.from({ length: 50 }, (_, index) => `x${index}=1`).join('&')
    expect(refusal(many).faults).toHaveLength(10)
  })

  it('of 2023-10-01 are skip and a maxpagesize that may not exceed 500', () => {
    expect(read('skip=1&maxpagesize=500', oldListRules)).toMatchObject({ skip: 1, pageSize: 500 })
    expect(refusal('maxpagesize=501', oldListRules)).toMatchObject({
      kind: 'invalid-input',
      target: 'maxpagesize',
      message: 'maxpagesize must not exceed 500; it is 501.',
    })
    for (const text of ['top=1', 'filter=odd', 'countRecords=true']) {
      expect(refusal(text, oldListRules)).toMatchObject({ kind: 'unsupported-query-parameter' })
    }
  })

  it('may be others beside, where an operation has them', () => {
    const rules = { ...oldListRules, parameters: [...oldListRules.parameters, 'number'] }
    expect(read('number=%2B1', rules)).toMatchObject({ skip: 0 })
    expect(refusal('numbers=%2B1', rules).message).toContain('skip, maxpagesize, number.')
  })
})

describe('what is fetched for a page', () => {
  it.each([
    ['', 201, 0],
    ['maxpagesize=10', 11, 0],
    ['maxpagesize=10&top=3', 4, 0],
    ['skip=5&maxpagesize=10', 11, 5],
    ['skip=5&after=YQ', 201, 0],
  ])('%s', (text, limit, offset) => {
    expect([pageLimit(read(text)), pageOffset(read(text))]).toEqual([limit, offset])
  })

  it.each([
    ['maxpagesize=2', ['a', 'b', 'c'], ['a', 'b'], true],
    ['maxpagesize=2', ['a', 'b'], ['a', 'b'], false],
    ['maxpagesize=2&top=2', ['a', 'b', 'c'], ['a', 'b'], false],
    ['maxpagesize=2&top=3', ['a', 'b', 'c'], ['a', 'b'], true],
    ['maxpagesize=2&top=1', ['a', 'b'], ['a'], false],
    ['', [], [], false],
  ])('%s, of %j', (text, rows, items, more) => {
    const page = cutPage(read(text), rows, (row) => row)
    expect(page).toEqual({ items, more, ...(items.length > 0 && { lastKey: items.at(-1) }) })
  })
})

describe('the link to the next page', () => {
  const link = (text: string, items: string[], more = true) =>
    nextLink({
      baseUrl: 'https://provapi.example',
      path: '/accounts/contoso/numbers',
      apiVersion: '2024-02-29-preview',
      query: read(text),
      page: { items, more, ...(items.length > 0 && { lastKey: items.at(-1) as string }) },
    })

  it('carries all that was asked for, what is left of top, and where to go on', () => {
    expect(link("filter=id+gt+'%2B1'+and+odd&maxpagesize=2&countRecords=true&skip=4&top=9", ['+12', '+13'])).toBe(
      'https://provapi.example/accounts/contoso/numbers?api-version=2024-02-29-preview' +
        '&filter=id%20gt%20%27%2B1%27%20and%20odd&maxpagesize=2&countRecords=true&skip=6&top=7&after=KzEz',
    )
  })
  it('is short when little was asked for', () => {
    expect(link('', ['a'])).toMatch(/\?api-version=2024-02-29-preview&maxpagesize=200&skip=1&after=YQ$/)
  })
  it('is absent on the last page', () => {
    expect(link('', ['a'], false)).toBeUndefined()
    expect(link('', [])).toBeUndefined()
  })
  it('is one that is taken again', () => {
    const next = new URL(link("filter=contains(id,'%26top%3D0%23+é😀')&skip=2147483647", ['é😀\u0001']) as string)
    expect(read(next.search.slice(1).replace('api-version=2024-02-29-preview&', ''))).toMatchObject({
      skip: 2_147_483_647,
      filterText: "contains(id,'&top=0# é😀')",
      after: 'é😀\u0001',
    })
  })
})

it('keys of several parts are ordered one part after another', () => {
  const inOrder = [sortKey('a', undefined), sortKey('a', 'a'), sortKey('a', 'z'), sortKey('a b', 'a'), sortKey('b')]
  expect([...inOrder].reverse().sort()).toEqual(inOrder)
})

it('today a list takes the five published parameters', () => {
  expect(currentListRules.parameters).toEqual(['top', 'skip', 'maxpagesize', 'filter', 'countRecords'])
})
