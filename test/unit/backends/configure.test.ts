import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultBackends, parseBackends } from '../../../src/backends/configure.js'
import { createBackends } from '../../../src/backends/create.js'
import { MemoryDocuments } from '../../../src/backends/simulated/memory-documents.js'
import { ManualClock } from '../../../src/clock.js'
import { SetupError } from '../../../src/errors.js'
import { teamsOf } from '../../fixtures/backend-contract.js'

const SECRET = 'very-secret-value'
const options = { mode: 'production', env: { BACKEND_KEY: SECRET, EMPTY: '' } } as const
const parse = (value: unknown) => parseBackends(JSON.stringify(value), options)
const oc = (value: unknown) => parse({ teamsOperatorConnect: value })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-backends-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('without a choice', () => {
  it('an emulator simulates the Teams services', () => {
    expect(parseBackends('', { mode: 'emulator', env: {} })).toEqual({
      oc: 'simulated',
      tpm: 'simulated',
      dr: 'none',
      zoom: 'none',
      aocp: 'none',
    })
  })

  it('production has no backends', () => {
    expect(new Set(Object.values(parseBackends(' ', options)))).toEqual(new Set(['none']))
    expect(parseBackends('{}', options)).toEqual(defaultBackends('production'))
  })
})

describe('a choice', () => {
  it('is made by service; the others stay as they are', () => {
    const choice = parseBackends('{"teamsPhoneMobile": "none", "zoomPhoneCloudPeering": "simulated"}', {
      mode: 'emulator',
      env: {},
    })
    expect(choice).toEqual({ oc: 'simulated', tpm: 'none', dr: 'none', zoom: 'simulated', aocp: 'none' })
  })

  it('names a server, with a header whose value is in the environment', () => {
    const auth = { header: 'Authorization', value: { env: 'BACKEND_KEY' } }
    const limits = { timeoutMs: 5_000, batchSize: 50, concurrency: 2 }
    const headers = { 'X-Region': 'eu' }
    expect(oc({ url: 'https://backend.example/oc/', auth, headers, ...limits }).oc).toEqual({
      url: 'https://backend.example/oc',
      auth: { header: 'Authorization', value: SECRET },
      headers,
      ...limits,
    })
  })

  it('may have a header of any name', () => {
    const headers = { env: 'BACKEND_KEY' }
    expect(oc({ url: 'https://backend.example', headers }).oc).toMatchObject({ headers })
  })

  it('names a server with client credentials', () => {
    const auth = { tokenUrl: 'https://login.example/token', clientId: 'linebook', clientSecret: { env: 'BACKEND_KEY' } }
    expect(oc({ url: 'http://backend:9090', auth }).oc).toEqual({
      url: 'http://backend:9090',
      auth: { ...auth, clientSecret: SECRET },
    })
    expect(
      oc({ url: 'http://backend', auth: { ...auth, scope: 's', clientAuthentication: 'basic' } }).oc,
    ).toMatchObject({
      auth: { scope: 's', clientAuthentication: 'basic' },
    })
  })

  it('may have any of its texts in the environment', () => {
    const env = {
      URL: 'https://backend.example',
      TOKENS: 'https://login.example/token',
      REGION: 'eu',
      BACKEND_KEY: SECRET,
    }
    const from = (name: keyof typeof env) => ({ env: name })
    const auth = { tokenUrl: from('TOKENS'), clientId: 'linebook', clientSecret: from('BACKEND_KEY') }
    const choice = { url: from('URL'), auth, headers: { 'X-Region': from('REGION') } }
    expect(parseBackends(JSON.stringify({ teamsOperatorConnect: choice }), { mode: 'production', env }).oc).toEqual({
      url: env.URL,
      auth: { tokenUrl: env.TOKENS, clientId: 'linebook', clientSecret: SECRET },
      headers: { 'X-Region': 'eu' },
    })
  })

  it('can be kept in a file', async () => {
    const file = join(folder, 'backends.json')
    await writeFile(file, '{"teamsOperatorConnect": "simulated"}')
    expect(parseBackends(file, { mode: 'emulator', env: {} }).oc).toBe('simulated')
    expect(() => parseBackends(file, options)).toThrow(`LINEBOOK_BACKENDS (${file}): teamsOperatorConnect: "simulated"`)
    await writeFile(file, '{"teamsOperatorConnect": "simulate"}')
    expect(() => parseBackends(file, options)).toThrow(`LINEBOOK_BACKENDS (${file}): teamsOperatorConnect: it takes`)
  })

  it.each(['teamsOperatorConnect', 'teamsPhoneMobile', 'teamsDirectRouting', 'zoomPhoneCloudPeering'])(
    'of a simulated backend for %s is refused in production, where nobody would get the numbers',
    (service) => {
      const attempt = () => parse({ [service]: 'simulated' })
      expect(attempt).toThrow(SetupError)
      expect(attempt).toThrow(`LINEBOOK_BACKENDS: ${service}: "simulated" is for emulators. In production it takes`)
    },
  )

  const good = { url: 'https://backend.example' }
  const credentials = { tokenUrl: 'https://login.example/token', clientId: 'linebook', clientSecret: SECRET }
  it.each([
    ['{"oc": "none"}', /^LINEBOOK_BACKENDS: oc is no service\. The services are teamsOperatorConnect, /],
    ['{"teamsOperatorConnect": "sim"}', /^LINEBOOK_BACKENDS: teamsOperatorConnect: it takes "simulated", "none" or/],
    ['{"__proto__": "none"}', /__proto__ is no service/],
    ['{oops', /not a JSON object\. A good one is \{"teams/],
    ['[]', /^LINEBOOK_BACKENDS: the file \[\] can't be read/],
    ['/nowhere/backends.json', /the file \/nowhere\/backends\.json can't be read/],
    [{ url: 'backend.example' }, /teamsOperatorConnect\.url: it takes an address such as "https:/],
    [{ url: 'ftp://backend.example' }, /\.url: it takes an address/],
    [{ url: 'https://user:pass@backend.example' }, /\.url: it takes an address.* without user, password/],
    [{ url: 'https://backend.example/?a=1' }, /\.url: it takes an address/],
    [{}, /\.url: it takes an address/],
    [
      { ...good, timeout: 5 },
      /teamsOperatorConnect: timeout is not known here; it takes url, auth, headers, timeoutMs/,
    ],
    [{ ...good, timeoutMs: 0 }, /\.timeoutMs: it takes a whole number from 100 to 600000/],
    [{ ...good, batchSize: 1001 }, /\.batchSize: it takes a whole number from 1 to 1000/],
    [{ ...good, concurrency: '4' }, /\.concurrency: it takes a whole number/],
    [{ ...good, auth: SECRET }, /\.auth: it takes a JSON object/],
    [{ ...good, auth: { header: 'a b', value: 'x' } }, /\.auth\.header: it takes the name of a header/],
    [{ ...good, auth: { header: 'A', value: '' } }, /\.auth\.value: it takes a text, or \{"env": "NAME"\}/],
    [{ ...good, auth: { header: 'A', value: `${SECRET}\n` } }, /\.auth\.value: it takes .* printable ASCII/],
    [
      { ...good, auth: { header: 'A', value: { env: 'MISSING' } } },
      /\.auth\.value: the environment has no variable MISSING/,
    ],
    [{ ...good, auth: { header: 'A', value: { env: 'EMPTY' } } }, /no variable EMPTY, or it is empty/],
    [{ ...good, auth: { header: 'A', value: 'x', extra: 1 } }, /\.auth: extra is not known here/],
    [{ ...good, auth: { tokenUrl: 'x' } }, /\.auth\.tokenUrl: it takes an address/],
    [{ ...good, auth: { tokenUrl: 'https://a.example' } }, /\.auth\.clientId: it takes a text/],
    [{ ...good, auth: { ...credentials, clientAuthentication: 'header' } }, /\.clientAuthentication: it takes "post"/],
    [{ ...good, auth: { ...credentials, tokenUrl: { env: 'MISSING' } } }, /\.auth\.tokenUrl: .* no variable MISSING/],
    [{ ...good, headers: [] }, /\.headers: it takes a JSON object/],
    [{ ...good, headers: { Host: 'x' } }, /\.headers: it takes .* headers, other than .*, host, /],
    [{ ...good, headers: { 'X A': 'x' } }, /\.headers: it takes .* the names of headers/],
    [{ ...good, headers: { 'X-A': 5 } }, /\.headers\.X-A: it takes a text/],
  ])('that makes no sense is refused with its place: %j', (value, message) => {
    const text = typeof value === 'string' ? value : JSON.stringify({ teamsOperatorConnect: value })
    const attempt = () => parseBackends(text, options)
    expect(attempt).toThrow(SetupError)
    expect(attempt).toThrow(message)
    expect(attempt).not.toThrow(SECRET)
  })
})

describe('backends', () => {
  it('are made for the services that have one, with the limits chosen', async () => {
    const value = {
      teamsOperatorConnect: 'simulated',
      teamsPhoneMobile: 'none',
      zoomPhoneCloudPeering: { url: 'http://127.0.0.1:1', timeoutMs: 200, batchSize: 7, concurrency: 3 },
    }
    const choice = parseBackends(JSON.stringify(value), { mode: 'emulator', env: {} })
    const backends = createBackends(choice, { clock: new ManualClock(), documents: new MemoryDocuments() })
    expect(Object.keys(backends)).toEqual(['oc', 'zoom'])
    expect(backends.oc?.name).toBe('simulated')
    expect(backends.zoom).toMatchObject({ name: 'http', timeoutMs: 200, batchSize: 7, concurrency: 3 })
    expect(await teamsOf(backends.oc).listConsents()).toHaveLength(2)
  })
})
