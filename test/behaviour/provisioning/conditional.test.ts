/** Conditional requests, row by row, on everything that has a tag. */
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { later } from '../../../src/clock.js'
import type { Db } from '../../../src/db/db.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator

const on = { syncEnabled: false, enabled: true }
const account = (correlationId: string) => ({
  correlationId,
  serviceDetails: { teamsTenantId: 'contosoTenantId', teamsOperatorConnect: on, teamsDirectRouting: on },
})

interface Kind {
  path: string
  method: 'PUT' | 'PATCH'
  body(text: string): object
}
const kinds = {
  account: { path: '/accounts/contoso', method: 'PUT', body: account },
  number: {
    path: '/accounts/contoso/numbers/+12065550100',
    method: 'PUT',
    body: (text) => ({
      serviceDetails: { teamsDirectRouting: { enabled: true } },
      configuration: { customSipHeader: text },
    }),
  },
  'request for information': {
    path: '/teamsRequestsForInformation/contosoTenantId',
    method: 'PATCH',
    body: (comment) => ({ customerRelationship: { comment } }),
  },
} as const satisfies Record<string, Kind>
const address = '/accounts/contoso/teamsCivicAddresses/contosoHeadOffice'
type Name = keyof typeof kinds

beforeAll(async () => {
  db = await openTestDatabase()
  service = await createTestService(db)
  operator = await anOperator(service)
  await operator.put('/accounts/contoso', account('first'))
})
afterAll(async () => {
  await service.close()
  await db.close()
})

const tagOf = (answer: LightMyRequestResponse): string => {
  expect(answer.headers.etag).toMatch(/^"[\w-]{12}\.[\w-]{12}"$/)
  return answer.headers.etag as string
}
const cfgOf = (tag: string): string => tag.slice(1, tag.indexOf('.'))

/** What a condition is made from: a resource that was written a moment ago. */
interface Written {
  tag: string
  writtenAt: Date
}
/** By header; undefined values are left out. */
type Condition = (written: Written) => Record<string, string>

let count = 0
/** Writes a resource anew; the clock stands ten seconds later then. */
async function written({ path, method, body }: Kind): Promise<Written> {
  service.clock.advance(10_500)
  const writtenAt = service.clock.now()
  await operator.send(method, path, { body: body(`text-${count++}`) })
  const tag = tagOf(await operator.get(path))
  service.clock.advance(10_000)
  return { tag, writtenAt }
}

const bare = ({ tag }: Written) => tag.slice(1, -1)
const inOtherState = ({ tag }: Written) => `"${cfgOf(tag)}.otherState"`
const SECOND = 1000
const when = ({ writtenAt }: Written, ms: number) => later(writtenAt, ms)
const OTHER = '"other.tag"'

describe('a read', () => {
  type Row = [what: string, condition: Condition, status: number]
  const byTag: Row[] = [
    ['no condition', () => ({}), 200],
    ['If-None-Match with the tag', ({ tag }) => ({ 'if-none-match': tag }), 304],
    ['If-None-Match with the tag without quotes', (now) => ({ 'if-none-match': bare(now) }), 304],
    ['If-None-Match with the tag said to be weak', ({ tag }) => ({ 'if-none-match': `W/${tag}` }), 304],
    ['If-None-Match with the tag among others', ({ tag }) => ({ 'if-none-match': `${OTHER}, W/"x.y" ,${tag}` }), 304],
    ['If-None-Match with tags without quotes', (now) => ({ 'if-none-match': `x.y,${bare(now)}` }), 304],
    ['If-None-Match with any', () => ({ 'if-none-match': '*' }), 304],
    ['If-None-Match with another tag', () => ({ 'if-none-match': OTHER }), 200],
    ['If-None-Match with the tag of another state', (now) => ({ 'if-none-match': inOtherState(now) }), 200],
    ['If-Match with the tag', ({ tag }) => ({ 'if-match': tag }), 200],
    ['If-Match with any', () => ({ 'if-match': '*' }), 200],
    ['If-Match with another tag', () => ({ 'if-match': OTHER }), 412],
    ['If-Match with the tag of another state', (now) => ({ 'if-match': inOtherState(now) }), 412],
    ['If-Match before If-None-Match', ({ tag }) => ({ 'if-match': OTHER, 'if-none-match': tag }), 412],
    ['a header ETag, which is no condition', () => ({ etag: OTHER }), 200],
    ['a tag without an end', () => ({ 'if-none-match': '"open' }), 400],
    ['words for a tag', () => ({ 'if-match': 'two words' }), 400],
    ['no tag in the list', () => ({ 'if-none-match': ' , ' }), 400],
    ['a date that is none', () => ({ 'if-modified-since': 'yesterday' }), 400],
    ['a day that no calendar has', () => ({ 'if-unmodified-since': '2026-02-30T00:00:00Z' }), 400],
  ]
  const byDate: Row[] = [
    ['If-Modified-Since then', (now) => ({ 'if-modified-since': when(now, 0).toUTCString() }), 304],
    ['If-Modified-Since later', (now) => ({ 'if-modified-since': when(now, SECOND).toUTCString() }), 304],
    ['If-Modified-Since before', (now) => ({ 'if-modified-since': when(now, -SECOND).toUTCString() }), 200],
    ['If-Modified-Since then, as RFC 3339', (now) => ({ 'if-modified-since': when(now, 0).toISOString() }), 304],
    ['If-Modified-Since a bit before', (now) => ({ 'if-modified-since': when(now, -100).toISOString() }), 200],
    [
      'If-Modified-Since beside a tag, which counts',
      (now) => ({ 'if-modified-since': when(now, SECOND).toUTCString(), 'if-none-match': OTHER }),
      200,
    ],
    ['If-Unmodified-Since then', (now) => ({ 'if-unmodified-since': when(now, 0).toUTCString() }), 200],
    ['If-Unmodified-Since before', (now) => ({ 'if-unmodified-since': when(now, -SECOND).toUTCString() }), 412],
    [
      'If-Unmodified-Since beside a tag, which counts',
      (now) => ({ 'if-unmodified-since': when(now, -SECOND).toUTCString(), 'if-match': now.tag }),
      200,
    ],
  ]

  async function expectRows(path: string, rows: Row[], now: Written) {
    for (const [what, condition, status] of rows) {
      const headers = condition(now)
      const answer = await operator.get(path, { headers })
      expect([what, answer.statusCode]).toEqual([what, status])
      if (status < 400) expect([tagOf(answer), answer.headers['last-modified']]).toEqual([now.tag, expect.any(String)])
      if (status === 304) expect([answer.body, answer.headers['content-type']]).toEqual(['', undefined])
      if (status >= 400) {
        const code = status === 412 ? 'ConditionNotMet' : 'InvalidParameter'
        const target = Object.keys(headers)[0]
        const { error } = answer.json<{ error: { code: string; target: string } }>()
        expect([error.code, error.target.toLowerCase(), answer.headers.etag]).toEqual([code, target, undefined])
      }
    }
  }

  it.each(Object.keys(kinds) as Name[])('of an existing %s obeys every condition', async (name) => {
    await expectRows(kinds[name].path, [...byTag, ...byDate], await written(kinds[name]))
  })

  it('of a civic address obeys every condition about tags', async () => {
    await expectRows(address, byTag, { tag: tagOf(await operator.get(address)), writtenAt: service.clock.now() })
  })

  it('of what is not there is told so whatever the conditions', async () => {
    for (const path of ['/accounts/nobody', '/accounts/contoso/numbers/+12065550199', `${address}x`]) {
      for (const headers of [{ 'if-none-match': '*' }, { 'if-match': OTHER }]) {
        expect((await operator.get(path, { headers })).statusCode).toBe(404)
      }
    }
  })
})

type WriteRow = [what: string, condition: Condition, passes: boolean | 'bad']
const writeRows: WriteRow[] = [
  ['no condition', () => ({}), true],
  ['If-Match with the tag', ({ tag }) => ({ 'if-match': tag }), true],
  ['If-Match with the tag without quotes', (now) => ({ 'if-match': bare(now) }), true],
  ['If-Match with the tag said to be weak', ({ tag }) => ({ 'if-match': `W/${tag}` }), true],
  ['If-Match with the tag among others', ({ tag }) => ({ 'if-match': `${OTHER},${tag}` }), true],
  ['If-Match with the tag of another state', (now) => ({ 'if-match': inOtherState(now) }), true],
  ['If-Match with any', () => ({ 'if-match': '*' }), true],
  ['If-Match with another tag', () => ({ 'if-match': OTHER }), false],
  ['If-Match with the first part of the tag alone', ({ tag }) => ({ 'if-match': `"${cfgOf(tag)}"` }), false],
  ['If-None-Match with another tag', () => ({ 'if-none-match': OTHER }), true],
  ['If-None-Match with the tag', ({ tag }) => ({ 'if-none-match': tag }), false],
  ['If-None-Match with the tag of another state', (now) => ({ 'if-none-match': inOtherState(now) }), false],
  ['If-None-Match with any', () => ({ 'if-none-match': '*' }), false],
  ['If-Unmodified-Since then', (now) => ({ 'if-unmodified-since': when(now, 0).toUTCString() }), true],
  ['If-Unmodified-Since before', (now) => ({ 'if-unmodified-since': when(now, -SECOND).toUTCString() }), false],
  ['If-Unmodified-Since before, as RFC 3339', (now) => ({ 'if-unmodified-since': when(now, -1).toISOString() }), false],
  [
    'If-Unmodified-Since beside a tag, which counts',
    (now) => ({ 'if-match': now.tag, 'if-unmodified-since': when(now, -SECOND).toUTCString() }),
    true,
  ],
  ['If-Modified-Since, which is for reads', (now) => ({ 'if-modified-since': when(now, SECOND).toUTCString() }), true],
  ['words for a tag', () => ({ 'if-match': 'two words' }), 'bad'],
  ['a date that is none', () => ({ 'if-unmodified-since': 'tomorrow' }), 'bad'],
]
/** On PUT alone a header ETag stands for If-Match. */
const etagRows = (method: string): WriteRow[] => [
  ['a header ETag with the tag', ({ tag }) => ({ etag: tag }), true],
  ['a header ETag with another tag', () => ({ etag: OTHER }), method !== 'PUT'],
  ['a header ETag beside If-Match, which counts', ({ tag }) => ({ 'if-match': tag, etag: OTHER }), true],
  ['a header ETag beside If-None-Match, which counts', () => ({ 'if-none-match': OTHER, etag: OTHER }), true],
]

/** Sends a write under each condition to a resource that is written anew each time. */
async function expectWrites(
  kind: Kind,
  rows: WriteRow[],
  send: (headers: Record<string, string>) => Promise<LightMyRequestResponse>,
  success: number,
) {
  for (const [what, condition, passes] of rows) {
    const now = await written(kind)
    const before = await operator.get(kind.path)
    const answer = await send(condition(now))
    const status = passes === 'bad' ? 400 : passes ? success : 412
    expect([what, answer.statusCode]).toEqual([what, status])
    if (passes === true) {
      if (success === 200) expect(cfgOf(tagOf(answer))).not.toBe(cfgOf(now.tag))
      continue
    }
    expect(answer.json()).toMatchObject({ error: { code: passes === 'bad' ? 'InvalidParameter' : 'ConditionNotMet' } })
    const after = await operator.get(kind.path)
    expect([after.headers.etag, after.body]).toEqual([now.tag, before.body])
  }
}

describe('a write', () => {
  it.each(Object.keys(kinds) as Name[])('of an existing %s obeys every condition', async (name) => {
    const { path, method, body } = kinds[name]
    const send = (headers: Record<string, string>) =>
      operator.send(method, path, { body: body(`new-${count++}`), headers })
    await expectWrites(kinds[name], [...writeRows, ...etagRows(method)], send, 200)
  })

  it.each(['account', 'number'] as const)('that deletes an existing %s obeys every condition', async (name) => {
    const own =
      name === 'account'
        ? { ...kinds.account, path: '/accounts/leaving', body: () => ({ serviceDetails: {} }) }
        : kinds.number
    await expectWrites(own, [...writeRows, ...etagRows('DELETE')], (headers) => operator.delete(own.path, headers), 204)
  })

  it.each<[string, string, object]>([
    ['account', '/accounts/absent', { serviceDetails: {} }],
    ['number', '/accounts/contoso/numbers/+12065550123', { serviceDetails: {} }],
  ])('of an absent %s makes it unless something was to match', async (_what, path, body) => {
    for (const headers of [{ 'if-match': OTHER }, { 'if-match': '*' }, { etag: OTHER }]) {
      expect((await operator.put(path, body, headers)).statusCode).toBe(412)
      expect((await operator.get(path)).statusCode).toBe(404)
      if (!('etag' in headers)) expect((await operator.delete(path, headers)).statusCode).toBe(412)
    }
    for (const headers of [
      {},
      { 'if-none-match': '*' },
      { 'if-none-match': OTHER },
      { 'if-unmodified-since': '2001-01-01T00:00:00Z' },
    ]) {
      const answer = await operator.put(path, body, headers)
      expect(answer.statusCode).toBe(201)
      expect((await operator.get(path)).headers.etag).toBe(tagOf(answer))
      expect((await operator.delete(path)).statusCode).toBe(204)
      for (const again of [{}, { 'if-none-match': '*' }]) {
        expect((await operator.delete(path, again)).statusCode).toBe(204)
      }
    }
  })

  it('that deletes a number of an absent account is refused when something was to match', async () => {
    const path = '/accounts/nobody/numbers/+12065550100'
    expect((await operator.delete(path, { 'if-match': '*' })).statusCode).toBe(412)
    expect((await operator.delete(path)).statusCode).toBe(204)
  })

  it('of lists, batches and questions has no conditions', async () => {
    const headers = { 'if-match': OTHER, 'if-none-match': 'two words' }
    expect((await operator.get('/accounts', { headers })).statusCode).toBe(200)
    expect((await operator.post('/accounts/contoso:getTeamsCapabilityPlans', undefined, headers)).statusCode).toBe(200)
    const numbers = [{ telephoneNumber: '+12065550124', serviceDetails: {} }]
    expect((await operator.post('/accounts/contoso:createOrUpdateNumbers', { numbers }, headers)).statusCode).toBe(200)
  })
})

describe('a tag', () => {
  const synced = { syncEnabled: true, enabled: true }
  const own = (correlationId: string) => ({
    correlationId,
    serviceDetails: { teamsTenantId: 'contosoTenantId2', teamsOperatorConnect: synced },
  })
  const ownNumber = (allowTenantAddressUpdate: boolean) => ({
    serviceDetails: {
      teamsOperatorConnect: {
        enabled: true,
        configuration: { usage: 'FirstPartyAppAssignment', choosableCapabilities: [], allowTenantAddressUpdate },
      },
    },
  })

  it.each<[string, Kind['method'], string, (first: boolean) => object]>([
    ['account', 'PUT', '/accounts/synced', (first) => own(first ? 'a' : 'b')],
    ['number', 'PUT', '/accounts/synced/numbers/+12065550150', ownNumber],
    [
      'request for information',
      'PATCH',
      '/teamsRequestsForInformation/contosoTenantId2',
      (first) => ({ customerRelationship: { comment: String(first) } }),
    ],
  ])(
    'of a pending %s is another once it is synced, and still good for changing it',
    async (_what, method, path, body) => {
      await operator.put('/accounts/synced', own('a'))
      await operator.send(method, path, { body: body(true) })
      const pending = await operator.get(path)
      expect(pending.json()).toMatchObject({ serviceProvisioningStatus: 'pending' })
      const [tag, date] = [tagOf(pending), pending.headers['last-modified'] as string]
      expect((await operator.get(path, { headers: { 'if-none-match': tag } })).statusCode).toBe(304)
      service.clock.advance(5000)
      await reconcileAll(service)
      for (const headers of [{ 'if-none-match': tag }, { 'if-modified-since': date }]) {
        const seen = await operator.get(path, { headers })
        expect([seen.statusCode, seen.json<{ serviceProvisioningStatus: string }>().serviceProvisioningStatus]).toEqual(
          [200, 'synced'],
        )
        expect([cfgOf(tagOf(seen)) === cfgOf(tag), tagOf(seen) === tag]).toEqual([true, false])
      }
      for (const condition of [{ 'if-unmodified-since': date }, { 'if-match': tag }]) {
        const changed = await operator.send(method, path, { body: body(false), headers: condition })
        expect(changed.statusCode).toBe(200)
        const back = await operator.send(method, path, { body: body(true), headers: { 'if-match': tagOf(changed) } })
        expect(cfgOf(tagOf(back))).toBe(cfgOf(tag))
      }
    },
  )

  it('says of an identical write that nothing was changed by it', async () => {
    for (const name of Object.keys(kinds) as Name[]) {
      const { path, method, body } = kinds[name]
      const send = () => operator.send(method, path, { body: body('the-same') })
      expect([name, cfgOf(tagOf(await send()))]).toEqual([name, cfgOf(tagOf(await send()))])
    }
  })

  it('of an account tells in its second part that the count of its numbers has changed', async () => {
    const tag = tagOf(await operator.get('/accounts/contoso'))
    const { path, body } = kinds.number
    await operator.delete(path)
    await operator.put('/accounts/contoso/numbers/+12065550160', body('text'))
    await operator.put('/accounts/contoso/numbers/+12065550161', body('text'))
    const after = tagOf(await operator.get('/accounts/contoso', { headers: { 'if-none-match': tag } }))
    expect([cfgOf(after) === cfgOf(tag), after === tag]).toEqual([true, false])
  })
})
