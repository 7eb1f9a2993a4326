/** The command line as a client: whom it asks, as whom, and what it makes of responses. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { announce, lockDataDir } from '../../src/db/data-dir-lock.js'
import { SetupError } from '../../src/errors.js'
import { runInThisProcess } from '../fixtures/command-line.js'

interface Received {
  line: string
  authorization: string | undefined
  key: string | undefined
  body: string
}

let server: Server
let url: string
let received: Received[]
/** The last one is repeated; 'lost' ends the connection. */
let responses: ('lost' | { status?: number; body: string; headers?: Record<string, string> })[]
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-client-'))
  server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      const { authorization, 'idempotency-key': key } = request.headers
      const body = Buffer.concat(chunks as Buffer[]).toString('utf8')
      received.push({ line: `${request.method} ${request.url}`, authorization, key: key?.toString(), body })
      const next = responses.length > 1 ? responses.shift() : responses[0]
      if (next === undefined || next === 'lost') return request.socket.destroy()
      return response.writeHead(next.status ?? 200, next.headers).end(next.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  received = []
  responses = [{ body: '{"kid": "k1"}' }]
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

const openNothing = () => Promise.reject(new SetupError('The database was opened.'))
const run = (args: string[], env: Record<string, string> = {}) =>
  runInThisProcess(args, { env: { LINEBOOK_DATA_DIR: folder, ...env }, openInProcess: openNothing })
const rotate = (env: Record<string, string> = {}, ...flags: string[]) =>
  run(['client', 'rotate-keys', '--url', url, ...flags], env)
const client = { LINEBOOK_CLIENT_ID: 'ops', LINEBOOK_CLIENT_SECRET: 's+cret' }
const problem = (code: string, detail: string, errors?: object[]) => JSON.stringify({ code, detail, errors })
const error = (code: string, message: string, details?: object[]) =>
  JSON.stringify({ error: { code, message, details } })

describe('who asks', () => {
  it('shows the token of LINEBOOK_TOKEN, or of --token-file first', async () => {
    const file = join(folder, 'token')
    await writeFile(file, 'from-file\n')
    await rotate({ LINEBOOK_TOKEN: 'from-env' })
    await rotate({ LINEBOOK_TOKEN: 'from-env' }, '--token-file', file)
    expect(received.map(({ authorization }) => authorization)).toEqual(['Bearer from-env', 'Bearer from-file'])
  })

  it('is a client of the built-in issuer, which gives it a token', async () => {
    responses = [{ body: '{"access_token": "abc"}' }, { body: '{"kid": "k1"}' }]
    const env = { ...client, LINEBOOK_ISSUER_TENANT: 'contoso', LINEBOOK_TOKEN_AUDIENCES: 'https://api.example,other' }
    expect(await rotate(env)).toMatchObject({ code: 0, stdout: 'Tokens are now signed with the key k1.\n' })
    expect(received).toMatchObject([
      { line: 'POST /contoso/oauth2/v2.0/token' },
      { line: 'POST /operator/v1/issuer/keys:rotate', authorization: 'Bearer abc', body: '{"dropEarlier":false}' },
    ])
    expect(Object.fromEntries(new URLSearchParams(received[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'ops',
      client_secret: 's+cret',
      scope: 'https://api.example/.default',
    })
  })

  it.each([
    [{}, /needs to know who asks: give an access token in LINEBOOK_TOKEN or with --token-file, or a client/],
    [{ LINEBOOK_CLIENT_ID: 'ops' }, /^linebook: LINEBOOK_CLIENT_SECRET: .* come together\.\n$/],
  ])('has to be said to a server that was named: %o', async (env, message) => {
    const { code, stderr } = await rotate(env)
    expect([code, received]).toEqual([1, []])
    expect(stderr).toMatch(message)
  })

  it('is told what the issuer has against it, and never its secret', async () => {
    responses = [{ status: 401, body: '{"error": "invalid_client", "error_description": "No such client.\\nTrace"}' }]
    const { stderr } = await rotate(client)
    expect(stderr).toMatch(/gave no token to the client ops \(it answered 401\)\. It says: No such client\. Give a/)
    expect(stderr).not.toContain('s+cret')
  })

  it.each([
    [undefined, /--token-file: ".*" can't be read: ENOENT/],
    ['two words', /holds no access token/],
  ])('names a bad token file: %j', async (text, message) => {
    const file = join(folder, 'bad-token')
    await rm(file, { force: true })
    if (text !== undefined) await writeFile(file, text)
    expect((await rotate({}, '--token-file', file)).stderr).toMatch(message)
  })
})

describe('whom it asks', () => {
  const token = { LINEBOOK_TOKEN: 'abc' }

  it('is the server of LINEBOOK_URL, unless a flag names a database', async () => {
    const env = { ...token, LINEBOOK_URL: `${url}/` }
    expect(await run(['client', 'rotate-keys'], env)).toMatchObject({ code: 0 })
    const { stderr } = await run(['client', 'rotate-keys', '--data-dir', folder], env)
    expect([stderr, received.length]).toEqual(['linebook: The database was opened.\n', 1])
  })

  it('needs no setting of a server to ask one', async () => {
    expect(await rotate({ ...token, LINEBOOK_MODE: 'production' })).toMatchObject({ code: 0 })
  })

  it('is what it was given, and not where that points to', async () => {
    responses = [{ status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }]
    expect((await rotate(token)).stderr).toMatch(/answered 302, and not as a Linebook does/)
    expect(received).toHaveLength(1)
  })

  it.each([
    ['localhost:8080', /--url: "localhost:8080" is not the address of a server/],
    ['http://127.0.0.1:1', /^linebook: http:\/\/127\.0\.0\.1:1 can't be reached: /],
  ])('is named when it is not there: %s', async (address, message) => {
    expect((await run(['status', '--url', address], token)).stderr).toMatch(message)
  })

  describe('on a data folder that is in use', () => {
    let unlock: () => Promise<void>
    beforeEach(async () => {
      unlock = await lockDataDir(folder)
    })
    afterEach(() => unlock())

    it('is the server that runs on it, as the administrator that every emulator knows', async () => {
      announce(folder, url)
      responses = [{ body: '{"access_token": "abc"}' }, { body: '{"kid": "k1"}' }]
      expect(await run(['client', 'rotate-keys'])).toMatchObject({ code: 0 })
      expect(received.map(({ line }) => line)).toEqual([
        'POST /linebook/oauth2/v2.0/token',
        'POST /operator/v1/issuer/keys:rotate',
      ])
      expect(received[0]?.body).toContain('client_id=linebook-admin&client_secret=linebook-standin')
    })

    it('has to be named when it can not be found', async () => {
      await mkdir(join(folder, 'database'))
      await writeFile(join(folder, 'database', 'PG_VERSION'), '17')
      const real = await runInThisProcess(['status'], { env: { LINEBOOK_DATA_DIR: folder } })
      expect(real.stderr).toMatch(/^linebook: LINEBOOK_DATA_DIR: .* in use .*--url http/)
    })
  })
})

describe('a response', () => {
  const token = { LINEBOOK_TOKEN: 'abc' }

  it('that is lost is asked for again, as the same request', async () => {
    responses = ['lost', 'lost', { body: '{"kid": "k2"}' }]
    expect(await rotate(token)).toMatchObject({ code: 0, stdout: expect.stringContaining('k2') })
    expect(received).toHaveLength(3)
    expect(new Set(received.map(({ key }) => key)).size).toBe(1)
    expect(received[0]?.key).toMatch(/^[\da-f-]{36}$/)
  })

  it('that is lost again and again is given up', async () => {
    responses = ['lost']
    expect((await rotate(token)).stderr).toMatch(/can't be reached/)
    expect(received).toHaveLength(3)
  })

  it.each([
    [
      401,
      problem('unauthenticated', 'The token has expired.'),
      /^linebook: The token has expired\. Give a token in LINEBOOK_TOKEN/,
    ],
    [
      403,
      problem('role-missing', 'This needs the role Operator.Admin.'),
      /^linebook: This needs the role Operator\.Admin\./,
    ],
    [
      400,
      problem('invalid-input', '2 things', [{ detail: 'a is.' }, { detail: 'b is.' }]),
      /^linebook: a is\. b is\.\n$/,
    ],
    [502, '<html>\nBad gateway</html>', /answered 502, and not as a Linebook does\. <html> Bad gateway/],
    [200, '<html>Hello</html>', /answered 200, and not as a Linebook does\. <html>Hello/],
  ])('%i %j is quoted', async (status, body, message) => {
    responses = [{ status, body }]
    expect((await rotate(token)).stderr).toMatch(message)
  })

  it.each([
    [404, ''],
    [404, 'Not here'],
    [404, error('RouteNotFound', 'No.')],
    [401, error('Denied', 'No.')],
    [401, ''],
  ])('%i %j to a test control is of no emulator', async (status, body) => {
    responses = [{ status, body }]
    expect((await run(['emulator', 'clock', '--url', url], token)).stderr).toBe(
      `linebook: ${url} is no emulator: a Linebook in production mode has no test controls.\n`,
    )
  })

  it.each([
    [404, error('NotFound', 'None such.'), 'linebook: None such.\n'],
    [400, error('InvalidInput', 'Bad.', [{ message: 'a is.' }, { message: 'b is.' }]), 'linebook: a is. b is.\n'],
  ])('%i %j of a test control is quoted', async (status, body, message) => {
    responses = [{ status, body }]
    expect((await run(['emulator', 'clock', '--url', url], token)).stderr).toBe(message)
  })
})
