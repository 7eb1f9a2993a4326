import { Command } from 'commander'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withAnswers, addAnswerOptions } from '../../src/cli/connection/answers.js'
import { serverAnswers, emulatorToken } from '../../src/cli/connection/server-answers.js'
import { lockDataDir } from '../../src/db/data-dir-lock.js'
import { rememberAddress } from '../../src/db/running-server.js'

interface Asked {
  line: string
  authorization: string | undefined
  contentType: string | undefined
  body: string
}

let server: Server
let url: string
let asked: Asked[]
let answer: { status: number; body: string }
beforeEach(async () => {
  asked = []
  answer = { status: 200, body: '{}' }
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { authorization, 'content-type': contentType } = request.headers
      asked.push({ line: `${request.method} ${request.url}`, authorization, contentType, body })
      response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

const refusal = (code: string, message = 'No.') => JSON.stringify({ error: { code, message } })

describe('a running server', () => {
  it('is asked with the token, each question at its address', async () => {
    const answers = serverAnswers(`${url}/`, 'secret')
    answer.body = '{"at": "now"}'
    expect(await answers.status()).toEqual({ at: 'now' })
    expect(await answers.timeline('+12065550100')).toEqual({ at: 'now' })
    await answers.requeue({ service: 'oc', waiting: true })
    expect(asked).toMatchObject([
      { line: 'GET /status', authorization: 'Bearer secret', body: '' },
      { line: 'GET /status/numbers/%2B12065550100', authorization: 'Bearer secret' },
      {
        line: 'POST /status:requeue',
        authorization: 'Bearer secret',
        contentType: 'application/json',
        body: '{"service":"oc","waiting":true}',
      },
    ])
  })

  it('has never heard of a number when it says so; any other "not found" is an error', async () => {
    const answers = serverAnswers(url, 'secret')
    answer = { status: 404, body: refusal('NumberNotFound') }
    expect(await answers.timeline('+12065550100')).toBeUndefined()
    answer = { status: 404, body: refusal('RouteNotFound', 'There is no such operation.') }
    await expect(answers.timeline('+12065550100')).rejects.toThrow(/404.*RouteNotFound: There is no such operation/)
  })

  it.each([
    [401, refusal('Unauthorized', 'The token has expired.'), /401\. Unauthorized: The token has expired\..*--token/],
    [403, refusal('InsufficientRole'), /ProvisioningAPI\.Admin/],
    [502, '<html>Bad gateway</html>', /502\. <html>/],
    [200, '<html>Hello</html>', /200\. <html>/],
  ])('that answers %i is quoted', async (status, body, message) => {
    answer = { status, body }
    await expect(serverAnswers(url, 'secret').status()).rejects.toMatchObject({
      name: 'SetupError',
      message: expect.stringMatching(message),
    })
  })

  it('is never followed elsewhere with the token', async () => {
    server.removeAllListeners('request')
    server.on('request', (_request, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end())
    await expect(serverAnswers(url, 'secret').status()).rejects.toMatchObject({ name: 'SetupError' })
  })

  it('that is not there, or whose address is none, is named', async () => {
    await expect(serverAnswers('http://127.0.0.1:1', 'secret').status()).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1 can't be reached: /,
    )
    expect(() => serverAnswers('localhost:8080', 'secret')).toThrow(/--url/)
  })
})

describe('an emulator', () => {
  const config = { issuerTenant: 'linebook', tokenAudiences: ['https://api.example', 'other'] }

  it('gives its administrator a token', async () => {
    answer.body = '{"access_token": "abc"}'
    expect(await emulatorToken(url, config)).toBe('abc')
    expect(asked).toMatchObject([{ line: 'POST /linebook/oauth2/v2.0/token' }])
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'linebook-admin',
      client_secret: 'linebook-standin',
      scope: 'https://api.example/.default',
    })
  })

  it('that gives none has to be asked by somebody with a token', async () => {
    answer = { status: 401, body: '{"error": "invalid_client"}' }
    await expect(emulatorToken(url, config)).rejects.toThrow(/401.*--url .* --token/)
  })
})

describe('a command whose database is embedded', () => {
  let dataDir: string
  let unlock: () => Promise<void>
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'linebook-answers-'))
    unlock = await lockDataDir(dataDir)
  })
  afterEach(async () => {
    await unlock()
    await rm(dataDir, { recursive: true })
  })
  const ask = () => {
    const command = addAnswerOptions(new Command('status'))
    command.parse(['--data-dir', dataDir, '--log-level', 'fatal'], { from: 'user' })
    return withAnswers(command, async (answers) => ({ source: answers.source, status: await answers.status() }))
  }

  it('asks the server that runs on it, with a token of its own issuer', async () => {
    await rememberAddress(dataDir, url)
    answer.body = '{"access_token": "abc"}'
    expect(await ask()).toEqual({ source: url, status: { access_token: 'abc' } })
    expect(asked.map(({ line, authorization }) => [line, authorization])).toEqual([
      ['POST /linebook/oauth2/v2.0/token', undefined],
      ['GET /status', 'Bearer abc'],
    ])
  })

  it('is told how to ask a server that is not to be found', async () => {
    await expect(ask()).rejects.toMatchObject({
      name: 'SetupError',
      message: expect.stringMatching(/LINEBOOK_DATA_DIR: .* in use .*--url .* --token/),
    })
  })
})
