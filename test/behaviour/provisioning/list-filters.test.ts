/** A filter chooses by what clients are shown, whatever the columns behind it. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { sql, type Db } from '../../../src/db/db.js'
import type * as models from '../../../src/provisioning/contract/models.js'
import { accountFields } from '../../../src/provisioning/filter/account-fields.js'
import { numberFields } from '../../../src/provisioning/filter/number-fields.js'
import {
  comparisons,
  parseFilter,
  textTests,
  type Filter,
  type Literal,
} from '../../../src/provisioning/filter/parse.js'
import { wireFields } from '../../../src/provisioning/filter/wire-fields.js'
import { configuration, directRouting, everyService, fictional, keptHere, passedOn } from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { filterPredicate, valuesByPath, type ValueFields } from '../../fixtures/evaluate-filter.js'
import { printFilter } from '../../fixtures/filters.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

/** Every single value of an account; one that is left out does not compile. */
const accountWireFields = wireFields<models.Account>()({
  name: 'string',
  correlationId: 'string',
  serviceProvisioningStatus: 'string',
  'serviceDetails/teamsTenantId': 'guid',
  'serviceDetails/teamsOperatorConnect/syncEnabled': 'boolean',
  'serviceDetails/teamsOperatorConnect/enabled': 'boolean',
  'serviceDetails/teamsOperatorConnect/numberCount': 'number',
  'serviceDetails/teamsPhoneMobile/syncEnabled': 'boolean',
  'serviceDetails/teamsPhoneMobile/enabled': 'boolean',
  'serviceDetails/teamsPhoneMobile/numberCount': 'number',
  'serviceDetails/zoomPhoneCloudPeering/syncEnabled': 'boolean',
  'serviceDetails/zoomPhoneCloudPeering/enabled': 'boolean',
  'serviceDetails/zoomPhoneCloudPeering/numberCount': 'number',
  'serviceDetails/azureOperatorCallProtection/enabled': 'boolean',
  'serviceDetails/azureOperatorCallProtection/numberCount': 'number',
  'serviceDetails/teamsDirectRouting/syncEnabled': 'boolean',
  'serviceDetails/teamsDirectRouting/enabled': 'boolean',
  'serviceDetails/teamsDirectRouting/numberCount': 'number',
  'serviceDetails/teamsDirectRouting/subdomainStatus': 'string',
  'serviceDetails/teamsDirectRouting/configuration/callScreening': 'boolean',
  'serviceDetails/teamsDirectRouting/configuration/subdomain': 'string',
  'serviceDetails/teamsDirectRouting/configuration/subdomainTokens/region1Token': 'string',
  'serviceDetails/teamsDirectRouting/configuration/subdomainTokens/region2Token': 'string',
})

const numberWireFields = wireFields<models.Number>()({
  telephoneNumber: 'string',
  accountName: 'string',
  serviceProvisioningStatus: 'string',
  'configuration/customSipHeader': 'string',
  'serviceDetails/teamsOperatorConnect/enabled': 'boolean',
  'serviceDetails/teamsOperatorConnect/assignmentStatus': 'string',
  'serviceDetails/teamsOperatorConnect/configuration/usage': 'string',
  'serviceDetails/teamsOperatorConnect/configuration/civicAddressId': 'string',
  'serviceDetails/teamsOperatorConnect/configuration/locationId': 'string',
  'serviceDetails/teamsOperatorConnect/configuration/allowTenantAddressUpdate': 'boolean',
  'serviceDetails/teamsOperatorConnect/configuration/displayedCountryCode': 'string',
  'serviceDetails/teamsPhoneMobile/enabled': 'boolean',
  'serviceDetails/teamsPhoneMobile/assignmentStatus': 'string',
  'serviceDetails/teamsPhoneMobile/configuration/usage': 'string',
  'serviceDetails/teamsPhoneMobile/configuration/civicAddressId': 'string',
  'serviceDetails/teamsPhoneMobile/configuration/locationId': 'string',
  'serviceDetails/teamsPhoneMobile/configuration/allowTenantAddressUpdate': 'boolean',
  'serviceDetails/teamsPhoneMobile/configuration/displayedCountryCode': 'string',
  'serviceDetails/teamsDirectRouting/enabled': 'boolean',
  'serviceDetails/zoomPhoneCloudPeering/enabled': 'boolean',
  'serviceDetails/azureOperatorCallProtection/enabled': 'boolean',
})

let db: Db
let linebook: TestService
let operator: Operator

const put = async (target: string, body: object): Promise<void> => {
  const answer = await operator.put(target, body)
  expect(answer.statusCode, `${target} ${answer.body}`).toBeLessThan(300)
}

/** The same at each run: what matters is that it is mixed. */
const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number): T[] => fc.sample(arbitrary, { numRuns: count, seed: 42 })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const teamsNumber = fc.record({
  enabled: fc.boolean(),
  assignmentStatus: maybe(fc.constantFrom('assigned', 'unassigned', 'Assigned')),
  configuration: maybe(
    fc
      .record({
        usage: fc.constantFrom('', 'CallingUserAssignment', 'ConferenceAssignment'),
        civicAddressId: maybe(fc.constantFrom('a', 'A', "O'Hare")),
        locationId: maybe(fc.constantFrom('x', 'é')),
        allowTenantAddressUpdate: maybe(fc.boolean()),
        displayedCountryCode: maybe(fc.constantFrom('US', 'CA')),
      })
      .map(configuration),
  ),
})
const switchOnly = fc.record({ enabled: fc.boolean() })
const numbers = fc.record({
  serviceDetails: fc.record({
    teamsOperatorConnect: maybe(teamsNumber),
    teamsPhoneMobile: maybe(teamsNumber),
    teamsDirectRouting: maybe(switchOnly),
    zoomPhoneCloudPeering: maybe(switchOnly),
    azureOperatorCallProtection: maybe(switchOnly),
  }),
  configuration: maybe(fc.record({ customSipHeader: maybe(fc.constantFrom('one', 'One', 'two')) })),
})
const services = fc.constantFrom(undefined, keptHere, passedOn, { syncEnabled: true, enabled: false })
const accounts = fc.record({
  correlationId: maybe(fc.constantFrom('crm-1', 'CRM-1', 'é')),
  serviceDetails: fc.record({
    teamsTenantId: fc.constantFrom('72f988bf-86f1-41af-91ab-2d7cd011db47', '72F988BF-86F1-41AF-91AB-2D7CD011DB47', 't'),
    teamsOperatorConnect: services,
    teamsPhoneMobile: services,
    zoomPhoneCloudPeering: services,
    azureOperatorCallProtection: maybe(switchOnly),
  }),
})

beforeAll(async () => {
  db = await openTestDatabase()
  linebook = await createTestService(db, {
    LINEBOOK_EXCLUSIVE_NUMBER_SERVICES: 'off',
    LINEBOOK_REJECT_UNSUPPORTED_SIP_HEADER: 'off',
  })
  operator = await anOperator(linebook)
  const oc = linebook.wiring.provisioning.deps.backends.oc as SimulatedBackend
  await oc.control.misbehave('refuse', { code: 'No', message: 'No.', methods: ['upsertTenants'], times: 4 })
  const routed = [keptHere, directRouting('one'), directRouting('two'), { ...directRouting('three'), enabled: false }]
  for (const [index, account] of sample(accounts, 20).entries()) {
    const teamsDirectRouting = routed[index]
    await put(`/accounts/a${index}`, { ...account, serviceDetails: { ...account.serviceDetails, teamsDirectRouting } })
  }
  const toBackends = { teamsOperatorConnect: passedOn, teamsPhoneMobile: passedOn }
  await put('/accounts/kept', { serviceDetails: everyService() })
  await put('/accounts/passed', { serviceDetails: everyService({ ...toBackends, teamsTenantId: 'passed' }) })
  await put('/accounts/ended', { serviceDetails: everyService({ ...toBackends, teamsTenantId: 'ended' }) })
  const put60 = async (from: number, to: number) => {
    for (const [index, number] of sample(numbers, 60).slice(from, to).entries()) {
      const account = ['kept', 'passed', 'ended'][index % 3] as string
      await put(`/accounts/${account}/numbers/${fictional(from + index)}`, number)
    }
  }
  await put60(0, 45)
  await oc.control.changeSettings({ assignOnUpload: false })
  await reconcileAll(linebook)
  await put('/accounts/ended', { serviceDetails: everyService({ teamsTenantId: 'ended' }) })
  await put('/accounts/a19', { serviceDetails: { teamsTenantId: 'late', teamsOperatorConnect: passedOn } })
  await put60(45, 60)
  await db.query(sql`delete from dns_record where name like 'two.1r2.%'`)
})
afterAll(async () => {
  await linebook.close()
  await db.close()
})

const literalOf = (value: unknown): Literal[] => {
  if (typeof value === 'string')
    return [value, value.toUpperCase(), value.slice(1)].map((text) => ({ type: 'string', value: text }))
  if (typeof value === 'boolean') return [{ type: 'boolean', value }]
  return typeof value === 'number' ? [value, value + 1].map((amount) => ({ type: 'number', value: amount })) : []
}

/** Filters over the fields, that ask for values which are there, or nearly. */
function filtersOver<Item>(fields: ValueFields<Item>, items: readonly Item[]): fc.Arbitrary<Filter> {
  const position = 0
  const leaves = Object.entries(fields).map(([path, { type, value }]) => {
    const kinds: Literal[] = type === 'boolean' ? [true, false].flatMap(literalOf) : []
    const literals = [...kinds, ...items.flatMap((item) => literalOf(value(item))), { type: 'null' } as const]
    const compare = fc.record({
      kind: fc.constant('compare' as const),
      path: fc.constant(path),
      position: fc.constant(position),
      comparison: fc.constantFrom(...comparisons),
      literal: fc.constantFrom(...literals),
    })
    const texts = literals.flatMap((literal) => (literal.type === 'string' ? [literal.value] : []))
    if (type === 'boolean') return fc.oneof(compare, fc.constant({ kind: 'path' as const, path, position }))
    if (type === 'number' || texts.length === 0) return compare
    const test = fc.constantFrom(...textTests)
    const text = fc.constantFrom(...texts)
    return fc.oneof(
      compare,
      fc.record({
        kind: fc.constant('text-test' as const),
        path: fc.constant(path),
        position: fc.constant(position),
        test,
        text,
      }),
    )
  })
  return fc.letrec<{ filter: Filter }>((tie) => {
    const part = tie('filter')
    const several = fc.array(part, { minLength: 2, maxLength: 3 })
    return {
      filter: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { weight: 4, arbitrary: fc.oneof(...leaves) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('not' as const), of: part }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), of: several }) },
      ),
    }
  }).filter
}

const lists = {
  accounts: {
    path: '/accounts',
    fields: valuesByPath<models.Account>(accountWireFields) as ValueFields<never>,
    known: accountFields(new Map()),
  },
  numbers: {
    path: '/numbers',
    fields: valuesByPath<models.Number>(numberWireFields) as ValueFields<never>,
    known: numberFields({ active: [], initialAssignmentStatus: 'assigned' }),
  },
}

it.each(Object.entries(lists))(
  'every single value that is shown of %s can be filtered by, and nothing else',
  (_, list) => {
    expect(Object.keys(list.known).sort()).toEqual(Object.keys(list.fields).sort())
  },
)

it.each(Object.entries(lists))(
  'a filter of %s chooses those that show what it asks for',
  async (_, { path, fields }) => {
    const shown = (await operator.get(`${path}?top=500`)).json<{ value: never[] }>().value
    // What is to be told apart is there.
    const statuses = new Set(shown.map(({ serviceProvisioningStatus: status }) => status))
    expect(statuses).toEqual(new Set(['pending', 'synced', 'failed']))
    await fc.assert(
      fc.asyncProperty(filtersOver(fields, shown), async (filter) => {
        const text = printFilter(filter)
        const answer = await operator.get(`${path}?countRecords=true&filter=${encodeURIComponent(text)}`)
        const wanted = shown.filter(filterPredicate(parseFilter(text), fields))
        expect(answer.json<{ value: never[] }>().value.map(keyOf), text).toEqual(wanted.map(keyOf))
        expect(answer.headers['x-ms-record-count']).toBe(String(wanted.length))
      }),
      { numRuns: 250 },
    )
  },
)

const keyOf = (item: { name?: string; telephoneNumber?: string }) => item.name ?? item.telephoneNumber

it('the zone is believed by a filter as by the account itself', async () => {
  const named = async (filter: string) =>
    (await operator.get(`/accounts?filter=${encodeURIComponent(filter)}`))
      .json<{ value: { name: string }[] }>()
      .value.map(({ name }) => name)
  const status = 'serviceDetails.teamsDirectRouting.subdomainStatus'
  expect(await named(`${status} eq 'provisioned'`)).toEqual(['a1'])
  expect(await named(`${status} eq 'inconsistent'`)).toEqual(['a2'])
  expect(await named(`${status} eq 'notProvisioned' and startswith(name,'a')`)).toEqual(['a0', 'a3'])
  // Its label is gone, its records are not: the zone could not be told.
  const { zone } = linebook.wiring.provisioning.deps
  const replaceTxt = zone.replaceTxt.bind(zone)
  zone.replaceTxt = () => Promise.reject(new Error('The zone is away.'))
  await put('/accounts/a1', { serviceDetails: { teamsDirectRouting: keptHere } })
  zone.replaceTxt = replaceTxt
  expect((await operator.get('/accounts/a1')).json()).toMatchObject({
    serviceDetails: { teamsDirectRouting: { subdomainStatus: 'inconsistent' } },
  })
  expect(await named(`${status} eq 'inconsistent'`)).toEqual(['a1', 'a2'])
})
