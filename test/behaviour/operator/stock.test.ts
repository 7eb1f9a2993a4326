/** Stock through the Operator API, and the jobs that bring it in. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { listHistory } from '../../../src/ledger/reads.js'
import { runNextJob } from '../../../src/operations/jobs/run.js'
import { search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { aFolder } from '../../fixtures/jobs.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createTestService, type TestService } from '../../fixtures/service.js'
import { enterStock, tollFree } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let service: TestService
let api: OperatorApi
beforeEach(async () => {
  service = await createTestService(db, { LINEBOOK_SPOOL_DIR: await aFolder() })
  api = await operatorApiOf(service)
})

const csv = { 'content-type': 'text/csv' }
const once = (key: string) => ({ 'idempotency-key': `"${key}"` })
const stateOf = async (e164: string) => (await api.get(`/numbers/${e164}`)).json<{ state: string }>().state
const jobAt = async (location: unknown) =>
  (await api.get(String(location).replace('/operator/v1', ''))).json<Record<string, unknown>>()

describe('an import', () => {
  it('is received, promised as a job, and done in the name of who sent it', async () => {
    const text = 'phoneNumber\n+12065550100\n+12065550101\n'
    const answer = await api.post('/stock/imports?fileName=may.csv', text, csv)
    expect(answer.statusCode, answer.body).toBe(202)
    const { id, state } = answer.json<{ id: string; state: string }>()
    expect(state).toBe('queued')
    expect(answer.headers['location']).toBe(`/operator/v1/jobs/${id}`)
    await runNextJob(service.wiring.jobs)
    expect(await jobAt(answer.headers['location'])).toMatchObject({
      id,
      kind: 'stock-import',
      state: 'succeeded',
      progress: { done: text.length, total: text.length, unit: 'bytes' },
      result: { entered: 2, bad: 0 },
      error: null,
    })
    const [{ actor, reason } = { actor: '', reason: '' }] = await listHistory(db, '+12065550100')
    expect(reason).toBe('stock import may.csv')
    expect((await jobAt(answer.headers['location']))['createdBy']).toBe(actor)
  })

  it('tells the rows that it refused, page by page and as CSV', async () => {
    const text = 'phoneNumber,areaCode\nnonsense,206\n+12065550101,2O6\n+12065550102,206,1\n+12065550103,206\n'
    const { id } = (await api.post('/stock/imports?dryRun=true', text, csv)).json<{ id: string }>()
    await runNextJob(service.wiring.jobs)
    const seen: object[] = []
    let next: string | null = ''
    while (next !== null) {
      const page: { items: object[]; next: string | null } = (
        await api.get(`/jobs/${id}/refusals?limit=2${next && `&cursor=${next}`}`)
      ).json()
      seen.push(...page.items)
      next = page.next
    }
    expect(seen).toMatchObject([
      { line: 2, field: 'phoneNumber', value: 'nonsense' },
      { line: 3, field: 'areaCode', value: '2O6' },
      { line: 4, field: null, value: '+12065550102' },
    ])
    const file = await api.get(`/jobs/${id}/refusals`, { accept: 'text/csv' })
    expect(file.headers['content-type']).toMatch(/^text\/csv/)
    const lines = file.body.split('\r\n')
    expect(lines[0]).toBe('line,field,value,reason')
    expect(lines[1]).toMatch(/^2,phoneNumber,nonsense,/)
    expect(lines).toHaveLength(5)
    expect((await api.get('/numbers')).json()).toMatchObject({ items: [] })
  })

  it('takes CSV alone, and only stocks that there are', async () => {
    expect((await api.post('/stock/imports', {})).json()).toMatchObject({
      status: 415,
      detail: 'The body must be text/csv; it is application/json.',
    })
    expect((await api.post('/stock/imports')).json()).toMatchObject({
      status: 415,
      detail: 'The body must be text/csv; the request does not say of which type it is.',
    })
    const answer = await api.post('/stock/imports?pool=nobody', 'phoneNumber\n', csv)
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ pointer: '/pool' }] })
    const reader = await operatorApiOf(service, 'Read')
    expect((await reader.post('/stock/imports', 'phoneNumber\n', csv)).statusCode).toBe(403)
  })
})

describe('jobs', () => {
  it('are listed newest first, by kind and state, and begun once for a repeated request', async () => {
    const range = { phoneNumber: '+12065550100', count: 10 }
    const first = await api.post('/stock/generate', range, once('one'))
    expect(first.statusCode, first.body).toBe(202)
    const again = await api.post('/stock/generate', range, once('one'))
    expect(again.headers['location']).toBe(first.headers['location'])
    service.clock.advance(1_000)
    const second = await api.post('/stock/generate', { ...range, phoneNumber: '+12065550110' })
    const ids = async (query: string) =>
      (await api.get(`/jobs${query}`)).json<{ items: { id: string }[] }>().items.map(({ id }) => id)
    const [older, newer] = [first, second].map((answer) => answer.json<{ id: string }>().id)
    expect(await ids('')).toEqual([newer, older])
    await runNextJob(service.wiring.jobs)
    expect(await ids('?state=succeeded&kind=stock-generate')).toEqual([older])
    expect(await ids('?state=queued')).toEqual([newer])
    expect(await ids('?kind=stock-import')).toEqual([])
    const { next } = (await api.get('/jobs?limit=1')).json<{ next: string }>()
    expect(await ids(`?limit=1&cursor=${next}`)).toEqual([older])
  })

  it('are cancelled while they wait, and not after their end', async () => {
    const { id, createdBy } = (await api.post('/stock/generate', { phoneNumber: '+12065550100', count: 1 })).json<{
      id: string
      createdBy: string
    }>()
    const answer = await api.post(`/jobs/${id}:cancel`)
    expect(answer.json()).toMatchObject({ state: 'cancelled', cancelRequested: { by: createdBy } })
    expect((await api.post(`/jobs/${id}:cancel`)).json()).toMatchObject({ status: 409, code: 'conflict' })
    expect((await api.get('/jobs/nothing')).statusCode).toBe(404)
    expect((await api.get('/jobs/nothing/refusals')).statusCode).toBe(404)
  })

  it('are refused before they are promised when they make no sense', async () => {
    for (const range of [{ phoneNumber: '12', count: 1 }, { phoneNumber: '+12065550100', count: 0 }, {}]) {
      expect((await api.post('/stock/generate', range)).json()).toMatchObject({ status: 400, code: 'invalid-input' })
    }
    const pool = { phoneNumber: '+12065550100', count: 1, pool: 'nobody' }
    expect((await api.post('/stock/generate', pool, once('pool'))).json()).toMatchObject({ status: 400 })
    expect((await api.get('/jobs')).json()).toMatchObject({ items: [] })
  })
})

describe('stock', () => {
  it('is counted by place and state, and its places are listed', async () => {
    await enterStock(db, { count: 3 })
    await enterStock(db, { from: '+18885550100', count: 2, place: tollFree })
    await api.post('/stock/retire', { phoneNumbers: ['+12065550100'] })
    expect((await api.get('/stock')).json()).toMatchObject({
      stock: [
        {
          pool: null,
          countryCode: 'US',
          numberType: 'geographic',
          areaCode: '206',
          states: { available: 2, retired: 1 },
        },
        { pool: null, countryCode: 'US', numberType: 'tollFree', areaCode: '888', states: { available: 2 } },
      ],
      neverStock: {},
    })
    const places = async (query: string) => (await api.get(`/stock/places${query}`)).json<{ items: object[] }>().items
    expect(await places('?available=true')).toMatchObject([
      { areaCode: '206', locality: 'Seattle', pool: null, available: 2 },
      { areaCode: '888', locality: '', available: 2 },
    ])
    expect(await places('?locality=seattle&countryCode=us')).toMatchObject([{ areaCode: '206', available: null }])
    expect(await places('?numberType=mobile')).toEqual([])
    const { next } = (await api.get('/stock/places?limit=1')).json<{ next: string }>()
    expect(await places(`?cursor=${next}`)).toMatchObject([{ areaCode: '888' }])
  })

  it('is retired and restored, all or none, by whom its history tells', async () => {
    const [first = '', second = ''] = await enterStock(db, { count: 2 })
    const deleter = await operatorApiOf(service, 'Delete')
    const writer = await operatorApiOf(service, 'Write')
    const refused = await deleter.post('/stock/retire', { phoneNumbers: [first, '+12065550199'] })
    expect(refused.json()).toMatchObject({ status: 409, code: 'conflict' })
    expect(await stateOf(first)).toBe('available')
    expect((await writer.post('/stock/retire', { phoneNumbers: [first] })).statusCode).toBe(403)
    expect((await deleter.post('/stock/retire', { phoneNumbers: [first, second] })).statusCode).toBe(204)
    expect(await stateOf(second)).toBe('retired')
    expect((await listHistory(db, first)).map(({ event, reason }) => [event, reason])).toContainEqual([
      'retire',
      'Stock_Retire',
    ])
    expect((await deleter.post('/stock/restore', { phoneNumbers: [first] })).statusCode).toBe(403)
    expect((await writer.post('/stock/restore', { phoneNumbers: [first] }, once('back'))).statusCode).toBe(204)
    expect(await stateOf(first)).toBe('available')
    await deleter.post('/stock/retire', { phoneNumbers: [first] })
    expect((await writer.post('/stock/restore', { phoneNumbers: [first] }, once('back'))).statusCode).toBe(204)
    expect(await stateOf(first)).toBe('retired')
  })

  it('on hold is retired only when that is said', async () => {
    await enterStock(db, { count: 1 })
    const { phoneNumbers } = await search(await service.client())
    expect((await api.post('/stock/retire', { phoneNumbers })).statusCode).toBe(409)
    expect((await api.post('/stock/retire', { phoneNumbers, held: true })).statusCode).toBe(204)
  })

  it('is exported as a file that an import takes back', async () => {
    await enterStock(db, { count: 2 })
    await api.post('/stock/retire', { phoneNumbers: ['+12065550101'] })
    const file = await api.get('/stock/export?state=available')
    expect(file.headers['content-type']).toMatch(/^text\/csv/)
    expect(file.body).toBe(
      'phoneNumber,countryCode,phoneNumberType,areaCode,locality,administrativeDivision\n' +
        '+12065550100,US,geographic,206,Seattle,WA\n',
    )
    await db.query(sql`delete from number`)
    await api.post('/stock/imports', file.body, csv)
    await runNextJob(service.wiring.jobs)
    expect(await stateOf('12065550100')).toBe('available')
  })
})
