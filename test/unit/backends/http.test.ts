/** What the http backend makes of answers that are late, wrong, refusing or missing. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createHttpBackend, type HttpOptions } from '../../../src/backends/http/http.js'
import type { Backend } from '../../../src/backends/port/backend.js'
import { BackendError } from '../../../src/backends/port/call.js'
import { ManualClock } from '../../../src/clock.js'
import { aCommand, aNumber, aNumberCommand, anUpload, CALLING, teamsOf } from '../../fixtures/backend-contract.js'
import { startHttpStub, type HttpStub } from '../../fixtures/http-stub.js'

const SECRET = 'very-secret-value'
const START = new Date('2026-03-01T12:00:00.000Z')

let stub: HttpStub
let clock: ManualClock
beforeAll(async () => {
  stub = await startHttpStub()
})
afterAll(() => stub.close())
beforeEach(() => {
  clock = new ManualClock(START)
  stub.seen = []
  stub.answer = () => ({ body: { outcomes: [{ outcome: 'done' }] } })
})

const open = (options: Partial<HttpOptions> = {}): Backend =>
  createHttpBackend({
    service: 'oc',
    url: stub.url,
    clock,
    auth: { header: 'X-Api-Key', value: SECRET },
    timeoutMs: 10_000,
    ...options,
  })
const release = (backend: Backend) => backend.releaseNumbers('t', [aNumberCommand(aNumber())])
const failure = async (call: Promise<unknown>): Promise<BackendError> => {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(BackendError)
  return error as BackendError
}

describe('a call', () => {
  it('carries the protocol: path, credentials, service, keys, sequence and ticket', async () => {
    const number = { telephoneNumber: '+12065550100', tenantId: 't' }
    stub.answer = () => ({ body: { outcomes: [{ outcome: 'done', number }] } })
    const upload = { ...anUpload('+12065550100', 7), ticket: 'ticket-1', assignmentStatus: 'assigned' }
    const backend = open({ url: `${stub.url}/base/`, headers: { 'X-Region': 'eu' } })
    expect(await backend.uploadNumbers('t', [upload])).toEqual([
      { kind: 'done', value: { e164: '+12065550100', tenantId: 't' } },
    ])
    const [request] = stub.seen
    expect(request).toMatchObject({
      method: 'POST',
      path: '/base/numbers/upload',
      headers: { 'x-api-key': SECRET, 'x-region': 'eu', 'linebook-service': 'oc', 'content-type': 'application/json' },
    })
    const { idempotencyKey } = upload
    expect(JSON.parse(request?.body ?? '')).toEqual({
      tenantId: 't',
      items: [
        {
          telephoneNumber: '+12065550100',
          idempotencyKey,
          sequence: 7,
          ticket: 'ticket-1',
          configuration: CALLING,
          assignmentStatus: 'assigned',
        },
      ],
    })
  })

  it('has an Idempotency-Key that is the same for each repeat and no other call', async () => {
    const backend = open()
    const command = aNumberCommand(aNumber())
    await backend.releaseNumbers('t', [command])
    await backend.releaseNumbers('t', [command])
    await backend.unassignNumbers('t', [command])
    const keys = stub.seen.map(({ headers }) => headers['idempotency-key'])
    expect(keys[0]).toMatch(/^[\w-]{43}$/)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })

  it('asks in the query, whatever a tenant is called', async () => {
    stub.answer = () => ({ body: { civicAddresses: [] } })
    await teamsOf(open()).getCivicAddress('../a b&c=1/ü', 'x?y')
    const { searchParams, pathname } = new URL(stub.seen[0]?.path ?? '', stub.url)
    expect(pathname).toBe('/civic-addresses')
    expect(Object.fromEntries(searchParams)).toEqual({ tenantId: '../a b&c=1/ü', id: 'x?y' })
  })

  it('follows the pages of a list', async () => {
    const consent = (id: string) => ({
      id,
      tenantId: id,
      status: 'active',
      consentedCountries: [],
      contacts: [],
      relationship: {},
    })
    stub.answer = ({ path }) =>
      path.includes('cursor=two')
        ? { body: { consents: [consent('b')] } }
        : { body: { consents: [consent('a')], nextCursor: 'two' } }
    expect((await teamsOf(open()).listConsents()).map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('does not follow pages for ever', async () => {
    stub.answer = () => ({ body: { consents: [], nextCursor: 'again' } })
    expect(await failure(teamsOf(open()).listConsents())).toMatchObject({ fault: { code: 'InvalidAnswer' } })
  })
})

describe('outcomes', () => {
  const outcomeOf = async (outcome: object) => {
    stub.answer = () => ({ body: { outcomes: [outcome] } })
    return (await release(open()))[0]
  }

  it('pass refusals on unchanged', async () => {
    const error = { code: 'Odd', message: 'Because.', target: 'line' }
    expect(await outcomeOf({ outcome: 'refused', error })).toEqual({ kind: 'refused', fault: error })
  })

  it('say later, with the time and the ticket', async () => {
    const outcome = { outcome: 'later', reason: 'busy', afterSeconds: 1.5, ticket: 'job-1' }
    expect(await outcomeOf(outcome)).toEqual({ kind: 'later', reason: 'busy', afterMs: 1_500, ticket: 'job-1' })
  })

  it.each([
    { body: { outcomes: [] }, place: /outcomes has 0 entries for 1 items/ },
    { body: {}, place: /the body must have required properties outcomes/ },
    { body: { outcomes: [{ outcome: 'perhaps' }] }, place: /outcomes\.0\.outcome/ },
    { body: { outcomes: [{ outcome: 'refused' }] }, place: /outcomes\.0\.error is missing/ },
    { body: { outcomes: [{ outcome: 'done', number: { tenantId: 5 } }] }, place: /outcomes\.0\.number/ },
    { body: '<html>', place: /not JSON/ },
    { body: 'null', place: /POST \/numbers\/release doesn't fit/ },
  ])('that do not fit the protocol are named by their place: $place', async ({ body, place }) => {
    stub.answer = () => ({ body })
    const { fault, mayHaveActed } = await failure(release(open()))
    expect(fault).toMatchObject({ code: 'InvalidAnswer', message: expect.stringMatching(place) as string })
    expect(mayHaveActed).toBe(true)
  })

  it('of an upload need the number', async () => {
    const call = open().uploadNumbers('t', [anUpload(aNumber())])
    expect(await failure(call)).toMatchObject({
      fault: { message: expect.stringMatching(/0\.number is missing/) as string },
    })
  })

  it('larger than is sensible are not read to their end', async () => {
    stub.answer = () => ({ body: ' '.repeat(9 * 1024 * 1024) })
    expect(await failure(release(open()))).toMatchObject({ fault: { code: 'AnswerTooLarge' } })
  })

  it('with dates that are none are refused', async () => {
    const consent = { id: 'a', tenantId: 'a', status: 's', consentedCountries: [], contacts: [], relationship: {} }
    stub.answer = () => ({ body: { consents: [{ ...consent, consentedOn: 'yesterday' }] } })
    expect(await failure(teamsOf(open()).listConsents())).toMatchObject({
      fault: { message: expect.stringMatching(/consents\.0\.consentedOn/) as string },
    })
  })
})

describe('a whole call', () => {
  const error = { code: 'TenantSuspended', message: 'The tenant is suspended.' }

  it.each([400, 409, 413, 422])(
    'refused with %i is refused for every item, in the words of the backend',
    async (status) => {
      stub.answer = () => ({ status, body: { error } })
      const commands = [aNumberCommand(aNumber()), aNumberCommand(aNumber())]
      expect(await open().releaseNumbers('t', commands)).toEqual([
        { kind: 'refused', fault: error },
        { kind: 'refused', fault: error },
      ])
    },
  )

  it.each([401, 403, 404, 405, 302])(
    'answered with %i says nothing about its items: the way to the backend is not right',
    async (status) => {
      stub.answer = () => ({ status, body: { error }, headers: { Location: 'https://elsewhere.example/' } })
      expect(await failure(release(open()))).toMatchObject({ fault: error, mayHaveActed: false })
      expect(stub.seen).toHaveLength(1)
    },
  )

  it.each([
    { header: '7', afterMs: 7_000 },
    { header: 'Sun, 01 Mar 2026 12:00:30 GMT', afterMs: 30_000 },
    { header: 'Sun, 01 Mar 2026 11:00:00 GMT', afterMs: 0 },
    { header: 'soon', afterMs: undefined },
    { header: '0', afterMs: 0 },
    { header: '-1', afterMs: undefined },
    { header: '0.5', afterMs: undefined },
    { header: '2026', afterMs: 2_026_000 },
    { header: '1000000000', afterMs: 24 * 60 * 60_000 },
  ])('throttled with Retry-After $header is for later', async ({ header, afterMs }) => {
    stub.answer = () => ({ status: 429, body: { error }, headers: { 'Retry-After': header } })
    const reason = 'TenantSuspended: The tenant is suspended.'
    expect(await release(open())).toEqual([{ kind: 'later', reason, ...(afterMs !== undefined && { afterMs }) }])
    expect(await failure(open().getNumbers('t', []))).toMatchObject({ fault: error, afterMs, mayHaveActed: false })
  })

  it('answered with 503 is of unknown effect, with the words of the backend and when it is back', async () => {
    stub.answer = () => ({ status: 503, body: { error }, headers: { 'Retry-After': '9' } })
    expect(await failure(release(open()))).toMatchObject({ fault: error, afterMs: 9_000, mayHaveActed: true })
  })

  it('answered with 500 and no words of its own says so', async () => {
    stub.answer = () => ({ status: 500, body: 'oops' })
    expect(await failure(release(open()))).toMatchObject({
      fault: { code: 'Http500', message: 'The backend answered 500 without saying why.' },
    })
  })

  it('without an answer in time is of unknown effect', async () => {
    stub.answer = () => undefined
    expect(await failure(release(open({ timeoutMs: 50 })))).toMatchObject({
      fault: { code: 'Timeout', message: 'No answer came within 50 ms.' },
      mayHaveActed: true,
    })
  })

  it('whose answer stops half-way is of unknown effect', async () => {
    stub.answer = (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' })
      response.write('{"outcomes"')
      setImmediate(() => response.destroy())
      return undefined
    }
    expect(await failure(release(open()))).toMatchObject({ fault: { code: 'NoAnswer' }, mayHaveActed: true })
  })

  it('to an address where nothing listens has had no effect', async () => {
    const gone = await startHttpStub()
    await gone.close()
    expect(await failure(release(open({ url: gone.url })))).toMatchObject({
      fault: { code: 'NoAnswer', message: "The backend can't be reached: ECONNREFUSED." },
      mayHaveActed: false,
    })
  })

  it('shows no secret, even when the backend repeats it', async () => {
    stub.answer = () => ({ status: 400, body: { error: { code: 'Bad', message: `You sent ${SECRET}.` } } })
    expect(await release(open())).toEqual([{ kind: 'refused', fault: { code: 'Bad', message: 'You sent ….' } }])
  })
})

describe('the circuit breaker', () => {
  const breaker = { failures: 3, openMs: 1_000, maxOpenMs: 3_000 }
  const down = () => ({ status: 503 })
  const up = () => ({ body: { outcomes: [{ outcome: 'done' }] } })

  it('opens after so many failures in a row, and then makes no calls', async () => {
    const backend = open({ breaker })
    stub.answer = down
    for (let calls = 0; calls < 3; calls++) await failure(release(backend))
    expect(backend.unavailable()).toMatchObject({ until: new Date(START.getTime() + 1_000) })
    expect(await failure(release(backend))).toMatchObject({
      fault: { code: 'CircuitOpen' },
      afterMs: 1_000,
      mayHaveActed: false,
    })
    expect(stub.seen).toHaveLength(3)
  })

  it('lets one call through when its time is over, and closes when that succeeds', async () => {
    const backend = open({ breaker })
    stub.answer = down
    for (let calls = 0; calls < 3; calls++) await failure(release(backend))
    clock.advance(1_000)
    expect(backend.unavailable()).toBeUndefined()
    stub.answer = up
    const results = await Promise.allSettled([release(backend), release(backend), release(backend)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(backend.unavailable()).toBeUndefined()
    expect(await release(backend)).toMatchObject([{ kind: 'done' }])
  })

  it('opens for longer each time that call fails, up to a limit', async () => {
    const backend = open({ breaker })
    stub.answer = down
    for (let calls = 0; calls < 3; calls++) await failure(release(backend))
    const openFor: number[] = []
    for (let times = 0; times < 4; times++) {
      const until = backend.unavailable()?.until ?? START
      openFor.push(until.getTime() - clock.now().getTime())
      clock.advance(openFor.at(-1) ?? 0)
      await failure(release(backend))
    }
    expect(openFor).toEqual([1_000, 2_000, 3_000, 3_000])
  })

  it('does not count reads that nothing waits for any more', async () => {
    const backend = open({ breaker })
    for (let reads = 0; reads < 4; reads++) {
      const patience = new AbortController()
      stub.answer = () => {
        patience.abort()
        return undefined
      }
      const reading = teamsOf(backend).listCivicAddresses('t', patience.signal)
      expect(await failure(reading)).toMatchObject({ fault: { code: 'Timeout' }, mayHaveActed: true })
    }
    expect(stub.seen).toHaveLength(4)
    expect(backend.unavailable()).toBeUndefined()
  })

  it('does not count what a backend that is there refuses or throttles, and forgets failures at a success', async () => {
    const backend = open({ breaker })
    for (const answer of [down, down, () => ({ status: 404 }), down, down, () => ({ status: 429 }), down, down, up]) {
      stub.answer = answer
      await release(backend).catch(() => undefined)
    }
    expect(backend.unavailable()).toBeUndefined()
  })
})

describe('OAuth client credentials', () => {
  const auth = (more: object = {}) => ({
    tokenUrl: `${stub.url}/token`,
    clientId: 'client',
    clientSecret: SECRET,
    scope: 'numbers',
    ...more,
  })
  let tokens: number
  /** The tokens that the backend takes. */
  let taken: (token: string) => boolean
  const asked = (path: string) => stub.seen.filter((request) => request.path === path)

  beforeEach(() => {
    tokens = 0
    taken = () => true
    stub.answer = ({ path, headers }) => {
      if (path === '/token')
        return { body: { access_token: `token-${++tokens}`, expires_in: 3600, token_type: 'Bearer' } }
      const token = String(headers.authorization).replace('Bearer ', '')
      return taken(token) ? { body: { outcomes: [{ outcome: 'done' }] } } : { status: 401 }
    }
  })

  it('asks for one token for many calls, and for another shortly before it ends', async () => {
    const backend = open({ auth: auth() })
    await Promise.all([release(backend), release(backend), release(backend)])
    clock.advance(3_500_000)
    await release(backend)
    expect(tokens).toBe(1)
    expect(Object.fromEntries(new URLSearchParams(asked('/token')[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client',
      client_secret: SECRET,
      scope: 'numbers',
    })
    clock.advance(60_000)
    await release(backend)
    expect(tokens).toBe(2)
    expect(asked('/numbers/release').map(({ headers }) => headers.authorization)).toEqual([
      ...Array<string>(4).fill('Bearer token-1'),
      'Bearer token-2',
    ])
  })

  it('asks for another token once when one is refused, and sends the call again', async () => {
    taken = (token) => token === 'token-2'
    expect(await release(open({ auth: auth() }))).toMatchObject([{ kind: 'done' }])
    expect(asked('/numbers/release')).toHaveLength(2)
    taken = () => false
    expect(await failure(release(open({ auth: auth() })))).toMatchObject({
      fault: { code: 'Http401' },
      mayHaveActed: false,
    })
    expect(asked('/numbers/release')).toHaveLength(4)
  })

  it('shows who it is as HTTP Basic where that is wanted', async () => {
    await release(open({ auth: auth({ clientAuthentication: 'basic' }) }))
    const [request] = asked('/token')
    expect(request?.headers.authorization).toBe(`Basic ${Buffer.from(`client:${SECRET}`).toString('base64')}`)
    expect(request?.body).not.toContain(SECRET)
  })

  it.each([
    { status: 401, body: { error: 'invalid_client', error_description: SECRET }, said: 'answered 401 invalid_client' },
    { status: 500, body: SECRET, said: 'answered 500' },
    { status: 200, body: { token: SECRET }, said: 'no usable access_token' },
  ])('that are refused ($said) send no call and show no secret', async ({ status, body, said }) => {
    stub.answer = () => ({ status, body })
    const { fault, mayHaveActed } = await failure(release(open({ auth: auth() })))
    expect(fault.code).toBe('TokenRequestFailed')
    expect(fault.message).toContain(said)
    expect(fault.message).not.toContain(SECRET)
    expect(mayHaveActed).toBe(false)
    expect(asked('/numbers/release')).toEqual([])
  })
})

it('a relationship is sent with its nulls', async () => {
  const change = { ...aCommand(), tenantId: 't', status: null, comment: 'because' }
  await teamsOf(open()).updateCustomerRelationships([change])
  expect(JSON.parse(stub.seen[0]?.body ?? '')).toEqual({ items: [change] })
})
