/** Connections that ask for nothing, over real sockets. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, expect, it } from 'vitest'
import { CONNECTION_BOUNDS, type ConnectionBounds } from '../../src/http/connection-bounds.js'
import { createServer, type FastifyInstance } from '../../src/http/server.js'
import { emulatorTls } from '../../src/http/tls.js'
import { createLogger } from '../../src/log.js'

const folder = await mkdtemp(join(tmpdir(), 'linebook-tls-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
const tls = await emulatorTls(folder, '127.0.0.1')

let server: FastifyInstance
let port: number
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

async function serve(bounds: Partial<ConnectionBounds>, secure = false): Promise<void> {
  server = createServer({
    logger: createLogger('silent'),
    tls: secure ? tls : undefined,
    connectionBounds: { ...CONNECTION_BOUNDS, ...bounds },
  })
  server.get('/', () => ({ status: 'ok' }))
  await server.listen({ port: 0, host: '127.0.0.1' })
  port = (server.server.address() as AddressInfo).port
}

interface Raw {
  socket: Socket
  /** What came back until the server closed. */
  closed: Promise<string>
}

/** A client that never closes on its own. */
function open(): Raw {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  sockets.push(socket)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => {})
  const closed = Promise.race([once(socket, 'end'), once(socket, 'close')]).then(() => text)
  return { socket, closed }
}

const count = (): Promise<number> =>
  new Promise((resolve, reject) =>
    server.server.getConnections((error, found) => (error ? reject(error) : resolve(found))),
  )

const get = async (raw: Raw): Promise<string> => {
  raw.socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  return raw.closed
}

it.each([
  ['sends nothing', ''],
  ['sends a part of its first record', '\x16\x03\x01\x02\x00\x01'],
])('a handshake that is not finished in time is the end of its connection: the client %s', async (_what, bytes) => {
  await serve({ handshakeMs: 100 }, true)
  const many = Array.from({ length: 20 }, open)
  for (const { socket } of many) socket.write(bytes, 'latin1')
  expect(await Promise.all(many.map(({ closed }) => closed))).toEqual(many.map(() => ''))
  await expect.poll(count).toBe(0)
})

it('what is no handshake at all is the end of its connection, too', async () => {
  await serve({}, true)
  const raw = open()
  raw.socket.write('GET / HTTP/1.1\r\n\r\n')
  await raw.closed
  await expect.poll(count).toBe(0)
})

it('a handshake in time is served', async () => {
  await serve({}, true)
  const socket = connectTls({ port, host: '127.0.0.1', ca: tls.cert })
  sockets.push(socket)
  await once(socket, 'secureConnect')
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  expect(chunk.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /)
})

it('what is no HTTP gets an answer, and its connection is closed though the client keeps it', async () => {
  await serve({})
  const raw = open()
  raw.socket.write('nonsense\r\n\r\n')
  expect(await raw.closed).toMatch(/^HTTP\/1\.1 400 /)
  await expect.poll(count).toBe(0)
})

it.each([
  ['in all', { most: 2 }],
  ['from one address', { mostPerAddress: 2 }],
])(
  'connections above the bound %s are closed, and there is room again when others have ended',
  async (_what, bounds) => {
    await serve(bounds)
    const first = open()
    const second = open()
    await expect.poll(count).toBe(2)
    expect(await open().closed).toBe('')
    first.socket.destroy()
    await expect.poll(count).toBe(1)
    expect(await get(open())).toMatch(/^HTTP\/1\.1 200 /)
    expect(await get(second)).toMatch(/^HTTP\/1\.1 200 /)
  },
)

it('a listener that can accept nothing for a moment does not end the program', async () => {
  await serve({})
  server.server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  expect(await get(open())).toMatch(/^HTTP\/1\.1 200 /)
})
