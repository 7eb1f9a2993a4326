/** How long bodies may take, over real connections. */
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { BodyBounds } from '../../../src/http/late-bodies.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let service: TestService
let api: OperatorApi
let port: number
afterEach(() => service.close())

const NEVER = 120_000
/** Longer than a busy machine takes to let a request in, which has to come first. */
const SOON = 1_000

async function serve(bodyBounds: BodyBounds): Promise<void> {
  service = await createTestService(db, {}, { bodyBounds })
  api = await operatorApiOf(service)
  await service.server.listen({ port: 0, host: '127.0.0.1' })
  port = (service.server.server.address() as AddressInfo).port
}

interface Upload {
  socket: Socket
  /** All that came back until the connection was closed. */
  closed: Promise<string>
  /** The status, once it is there. */
  status: Promise<number>
}

/** Sends the beginning of a request. */
function begin(target: string, headers: Record<string, string>, body: string): Upload {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  const status = new Promise<number>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const [, code] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? []
      if (code !== undefined) resolve(Number(code))
    })
  })
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(() => text)
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  socket.write(`POST ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  return { socket, closed, status }
}

const authorized = () => ({ authorization: `Bearer ${api.token}` })
const incomplete = { 'content-type': 'application/json', 'content-length': '100' }
const FILE = 'phoneNumber,countryCode,phoneNumberType,areaCode\n+12065550100,US,geographic,206\n'
const anUpload = (first: string): Upload =>
  begin(
    '/operator/v1/stock/imports',
    { ...authorized(), 'content-type': 'text/csv', 'content-length': String(FILE.length) },
    first,
  )
const aLateRequest = () => begin('/operator/v1/resources', { ...authorized(), ...incomplete }, '{')

it('a body that is not there in time is refused with 408, and its connection closed', async () => {
  await serve({ wholeMs: 100, idleMs: NEVER })
  const text = await aLateRequest().closed
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  expect(text).toMatch(/^content-type: application\/problem\+json/im)
  expect(text).toMatch(/^connection: close/im)
  expect(JSON.parse(text.split('\r\n\r\n', 2)[1] as string)).toMatchObject({
    status: 408,
    code: 'request-timeout',
    detail: 'The body was not there within 0.1 seconds of its headers.',
  })
})

it.each(['/availablePhoneNumbers/countries/US/:search', '/accounts/a:deleteNumbers', '/nowhere'])(
  'also at %s, in the envelope',
  async (path) => {
    await serve({ wholeMs: 100, idleMs: NEVER })
    const text = await begin(`${path}?api-version=2024-02-29`, { ...authorized(), ...incomplete }, '{').closed
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text).toContain('"error":{"code":"RequestTimeout"')
  },
)

it('an upload takes longer than others may', async () => {
  await serve({ wholeMs: SOON, idleMs: NEVER })
  const upload = anUpload(FILE.slice(0, 10))
  // Begun after the upload, and refused for its time.
  await aLateRequest().closed
  upload.socket.write(FILE.slice(10))
  expect(await upload.status).toBe(202)
  upload.socket.destroy()
  expect((await api.get('/jobs')).json()).toMatchObject({ items: [{ kind: 'stock-import', state: 'queued' }] })
})

it('an upload of which no byte comes any more breaks off, and its job fails', async () => {
  await serve({ wholeMs: NEVER, idleMs: SOON })
  const upload = anUpload(FILE.slice(0, 10))
  const text = await upload.closed
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  expect(text).toContain('"code":"request-timeout"')
  const { items } = (await api.get('/jobs')).json<{ items: object[] }>()
  expect(items).toMatchObject([{ state: 'failed', error: { code: 'request-timeout' } }])
})

it.each([
  [401, { authorization: 'Bearer nonsense', 'content-type': 'text/csv' }],
  [415, { 'content-type': 'image/png' }],
])('the rest of a body that was refused with %i is not waited for either', async (status, headers) => {
  await serve({ wholeMs: SOON, idleMs: NEVER })
  const sent = { ...authorized(), ...headers, 'content-length': '1000' }
  const text = await begin('/operator/v1/stock/imports', sent, 'x').closed
  expect(text.slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
})

it('one that came whole leaves its connection open for the next request', async () => {
  await serve({ wholeMs: SOON, idleMs: SOON })
  const { socket, status } = begin(
    '/operator/v1/resources',
    { ...authorized(), 'content-type': 'application/json', 'content-length': '17' },
    '{"name":"contoso"',
  )
  // The body is wrong, but whole.
  expect(await status).toBe(400)
  await aLateRequest().closed
  const next = once(socket, 'data')
  socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n')
  expect(String((await next)[0])).toMatch(/^HTTP\/1\.1 200 /)
  socket.destroy()
})
