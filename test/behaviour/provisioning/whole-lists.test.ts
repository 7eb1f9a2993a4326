/** Lists that a backend gives whole, filtered, ordered and cut by the database. */
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { parseQuery } from '../../../src/http/server.js'
import type { CivicAddress, RequestForInformation } from '../../../src/provisioning/contract/models.js'
import { addressFields } from '../../../src/provisioning/filter/address-fields.js'
import { consentFields } from '../../../src/provisioning/filter/consent-fields.js'
import type { FilterFields } from '../../../src/provisioning/filter/fields.js'
import { parseFilter } from '../../../src/provisioning/filter/parse.js'
import { wireFields } from '../../../src/provisioning/filter/wire-fields.js'
import { nextLink, readListQuery, type ListQuery } from '../../../src/provisioning/wire/list.js'
import { pageOfWhole } from '../../../src/provisioning/wire/whole-list.js'
import { filterPredicate, valuesByPath } from '../../fixtures/evaluate-filter.js'
import { filters, printFilter, things, type Thing } from '../../fixtures/filters.js'
import { it } from '../../fixtures/test.js'

it('a filter chooses what the oracle chooses, whatever the filter and the items', async ({ db }) => {
  await fc.assert(
    fc.asyncProperty(filters, fc.array(things, { maxLength: 12 }), async (filter, items) => {
      const text = printFilter(filter)
      const wanted = items.filter(filterPredicate(parseFilter(text), valuesByPath<Thing>(thingFields)))
      expect(await chosen(db, text, items, thingFields)).toEqual(wanted)
    }),
    { numRuns: 500 },
  )
}, 120_000)

describe('choosing', () => {
  interface Item {
    a?: number | null
    name?: string
    enabled?: boolean
    tenantId?: string
    at?: string | Date
  }
  const fields = wireFields<Required<Item> & { at: Date }>()({
    a: 'number',
    name: 'string',
    enabled: 'boolean',
    tenantId: 'guid',
    at: 'dateTime',
  })
  it.for<[string, Item, boolean]>([
    ['a gt 1', { a: 2 }, true],
    ['a gt 1', { a: 1 }, false],
    ['a ge 1 and a le 1 and a eq 1', { a: 1 }, true],
    ['a lt 1', { a: 0.5 }, true],
    ['not a le 1', { a: 2 }, true],
    ["name eq 'Contoso'", { name: 'contoso' }, false],
    ["name lt 'a'", { name: 'B' }, true],
    ["name gt '\uFFFF'", { name: '😀' }, true],
    ["tenantId eq '72F988BF-86f1-41af-91ab-2d7cd011db47'", { tenantId: '72f988bf-86f1-41AF-91AB-2D7CD011DB47' }, true],
    ["endswith(tenantId,'DB47')", { tenantId: '72f988bf-86f1-41af-91ab-2d7cd011db47' }, true],
    ["startswith(name,'con')", { name: 'contoso' }, true],
    ["startswith(name,'Con')", { name: 'contoso' }, false],
    ["contains(name,'%')", { name: 'contoso' }, false],
    ["contains(name,'')", { name: 'contoso' }, true],
    ["contains(name,'')", {}, false],
    ["not contains(name,'')", {}, true],
    ["endswith(name,'so')", { name: 'contoso' }, true],
    ['enabled', { enabled: true }, true],
    ['enabled', {}, false],
    ['not enabled', {}, true],
    ['enabled gt false', { enabled: true }, true],
    ['a eq null', {}, true],
    ['a eq null', { a: null }, true],
    ['a eq null', { a: 0 }, false],
    ['a ne null', { a: 0 }, true],
    ['a ne null', {}, false],
    ['a ne 1', {}, true],
    ['a eq 1', {}, false],
    ['a lt 1', {}, false],
    ['a ge null', {}, false],
    ['a ge null', { a: 1 }, false],
    ['at eq 2024-02-29T12:00:00Z', { at: '2024-02-29T12:00:00.000Z' }, true],
    ['at eq 2024-02-29T12:00:00Z', { at: new Date('2024-02-29T12:00:00Z') }, true],
    ['at lt 2024-02-29T12:00:00+01:00', { at: '2024-02-29T10:59:59Z' }, true],
  ] as const)('%s, of %j: %j', async ([text, item, expected], { db }) => {
    expect(await chosen(db, text, [item], fields)).toHaveLength(expected ? 1 : 0)
  })
})

describe('the fields of what backends tell', () => {
  it.for([
    ["tenantId eq '72F988BF-86F1-41AF-91AB-2D7CD011DB47'", true],
    ["customerRelationship/status eq 'ConsentAcknowledged'", true],
    ["customerRelationship.comment ne 'x'", true],
    ['consentedOn lt 2024-03-01T00:00:00Z and customerRelationship/lastModifiedOn eq null', true],
    ["serviceProvisioningStatus eq 'synced' and status eq 'removed'", false],
  ] as const)('requests for information: %s', async ([text, expected], { db }) => {
    const consent: RequestForInformation = {
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      productContext: 'teams',
      contacts: [],
      id: '1',
      tenantId: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      status: 'active',
      consentedOn: '2024-02-29T12:00:00.000Z',
      consentedCountries: ['US'],
      customerRelationship: { status: 'ConsentAcknowledged' },
    }
    expect(await chosen(db, text, [consent], consentFields)).toEqual(expected ? [consent] : [])
  })
  it.for([
    ["country eq 'US' and startswith(postalOrZipCode,'98')", true],
    ["validationStatus eq 'validated' and houseNumberSuffix eq null", true],
    ["tenantId ne 'ABC'", false],
  ] as const)('civic addresses: %s', async ([text, expected], { db }) => {
    const address: CivicAddress = {
      id: '1',
      country: 'US',
      postalOrZipCode: '98052',
      defaultLocationId: '2',
      validationStatus: 'validated',
      tenantId: 'abc',
      locations: [],
    }
    expect(await chosen(db, text, [address], addressFields)).toEqual(expected ? [address] : [])
  })
})

describe('a list', () => {
  interface Item {
    id: string
    odd: boolean
  }
  const fields = wireFields<Item>()({ id: 'string', odd: 'boolean' })
  const keyOf = ({ id }: Item): string => id
  const read = (text: string): ListQuery => readListQuery(parseQuery(`api-version=2024-02-29&${text}`), fields)

  /** All items that following the links gives. */
  async function walk(db: Db, items: readonly Item[], text: string, byKey: boolean) {
    const ids: string[] = []
    const totals = new Set<number>()
    for (let next: string | undefined = text, pages = 0; next !== undefined; pages++) {
      if (pages > items.length + 1) throw new Error('the walk has no end')
      const query = read(next)
      const page = await pageOfWhole(db, query, items, fields, keyOf)
      ids.push(...page.items.map(keyOf))
      totals.add(page.total)
      const link = nextLink({ baseUrl: '', path: '/x', apiVersion: '2024-02-29', query, page })
      next = link?.replace(/^.*?&/, '').replace(byKey ? '' : /&after=.*$/, '')
    }
    return { ids, totals: [...totals] }
  }

  it('is walked without a gap or a repeat, by key or by skip, whatever is asked for', async ({ db }) => {
    const ids = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 3 }).filter((id) => !id.includes('\0')))
    const asked = fc.record({
      top: fc.option(fc.integer({ min: 1, max: 12 })),
      skip: fc.option(fc.nat(12)),
      maxpagesize: fc.option(fc.integer({ min: 1, max: 5 })),
      filter: fc.option(fc.constantFrom('odd', 'not odd', "id gt 'M'")),
    })
    await fc.assert(
      fc.asyncProperty(ids, asked, fc.boolean(), async (all, { top, skip, maxpagesize, filter }, byKey) => {
        const items = all.map((id, index) => ({ id, odd: index % 2 === 1 }))
        const given = Object.entries({ top, skip, maxpagesize, filter }).filter(([, value]) => value !== null)
        const text = given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')
        const matching = items
          .filter(({ id, odd }) => {
            if (filter === "id gt 'M'") return Buffer.compare(Buffer.from(id), Buffer.from('M')) > 0
            return filter === null || odd === (filter === 'odd')
          })
          .map(keyOf)
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        const from = skip ?? 0
        const walked = await walk(db, items, text, byKey)
        expect(walked.ids).toEqual(matching.slice(from, top === null ? undefined : from + top))
        expect(walked.totals).toEqual([matching.length])
      }),
      { numRuns: 150 },
    )
  }, 120_000)

  it('goes on behind a key whose item has gone meanwhile', async ({ db }) => {
    const items = ['d', 'a', 'c'].map((id) => ({ id, odd: true }))
    const page = await pageOfWhole(db, read('after=Yg&skip=2'), items, fields, keyOf)
    expect(page.items.map(keyOf)).toEqual(['c', 'd'])
  })

  it('keeps items of one key in the order in which they came', async ({ db }) => {
    const items = [true, false, true].map((odd) => ({ id: 'a', odd }))
    expect((await pageOfWhole(db, read(''), items, fields, keyOf)).items).toEqual(items)
  })

  it('may have texts that no database keeps, and they may even be keys', async ({ db }) => {
    const items = ['a\0b', 'a', 'a\ud800', 'b', '\0'].map((id) => ({ id, odd: true }))
    const walked = await walk(db, items, "maxpagesize=1&filter=contains(id,'a') or odd", true)
    expect(walked.ids).toEqual(['a', 'a\ud800', 'a\0b', 'b', '\0'])
  })
})

/** Those of the items that a filter chooses. */
async function chosen<Item extends object>(
  db: Db,
  text: string,
  items: readonly Item[],
  fields: FilterFields,
): Promise<Item[]> {
  const query: ListQuery = { skip: 0, pageSize: 500, count: true, filter: parseFilter(text), filterText: text }
  const page = await pageOfWhole(db, query, items, fields, (item) => String(items.indexOf(item)).padStart(3, '0'))
  expect(page.total).toBe(page.items.length)
  return page.items
}

const thingFields = wireFields<Thing>()({
  text: 'string',
  guid: 'guid',
  flag: 'boolean',
  amount: 'number',
  at: 'dateTime',
})
