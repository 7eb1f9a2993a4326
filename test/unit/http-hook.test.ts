/** What the HTTP hook makes of answers, and of none; docs/hooks.md tells it for people. */
import dns from 'node:dns'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readConfig } from '../../src/config/config.js'
import { emulatorTls } from '../../src/http/tls.js'
import { HookUnavailable, type HookAction, type HookCall, type HookName } from '../../src/phone-numbers/hooks/hook.js'
import { HttpHook } from '../../src/phone-numbers/hooks/http-hook.js'
import { listen } from '../fixtures/backend-server.js'
import { startHttpStub, type HttpStub, type StubAnswer } from '../fixtures/http-stub.js'

/** For calls that are answered; those of a busy machine too. */
const TIMEOUT_MS = 30_000
const SECRET = 'hook-secret'

let stub: HttpStub
beforeEach(async () => {
  stub = await startHttpStub()
})
afterEach(() => stub.close())

const aNumber = (e164: string) => ({
  e164,
  countryCode: 'US',
  numberType: 'geographic',
  assignmentType: 'application',
  calling: 'inbound',
  sms: 'none',
  price: { amount: '1.00', currency: 'USD' },
})
const numbers = ['+12065550100', '+12065550101'].map(aNumber)
const aCall = (action: HookAction = 'begin'): HookCall => ({
  action,
  idempotencyKey: 'purchase_1',
  operationId: 'purchase_1',
  resourceName: 'line\r\nbreak: "ü"',
  numbers,
})
const aHook = (name: HookName = 'fulfilment', over: Partial<ConstructorParameters<typeof HttpHook>[0]> = {}) =>
  new HttpHook({ name, url: stub.url, secret: SECRET, timeoutMs: TIMEOUT_MS, ...over })

const answered = (answer: StubAnswer, name: HookName = 'fulfilment', action: HookAction = 'begin') => {
  stub.answer = () => answer
  return aHook(name).call(aCall(action))
}
const unavailable = async (call: Promise<unknown>): Promise<HookUnavailable> => {
  const error = await call.then(
    (answer) => expect.fail(`It answered ${JSON.stringify(answer)}.`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(HookUnavailable)
  expect((error as Error).message).not.toContain(SECRET)
  return error as HookUnavailable
}

describe('a call', () => {
  it('is one POST whose headers hold nothing that a customer has chosen', async () => {
    stub.answer = () => ({})
    await aHook().call(aCall())
    expect(stub.seen).toHaveLength(1)
    const { method, headers, body } = stub.seen[0] as (typeof stub.seen)[0]
    expect([method, headers['idempotency-key'], headers['authorization'], headers['content-type']]).toEqual([
      'POST',
      'purchase_1',
      `Bearer ${SECRET}`,
      'application/json',
    ])
    expect(JSON.parse(body)).toMatchObject({ action: 'provision', resource: 'line\r\nbreak: "ü"' })
    expect(JSON.stringify(headers)).not.toContain('break')
  })

  it.each([
    ['billing', 'begin', 'approve'],
    ['billing', 'undo', 'void'],
    ['fulfilment', 'begin', 'provision'],
    ['fulfilment', 'undo', 'cancel'],
  ] as const)('to %s to %s says "%s"', async (name, action, word) => {
    await answered({}, name, action)
    expect(JSON.parse(stub.seen[0]?.body ?? '')).toMatchObject({ action: word })
  })

  it('shows no secret when there is none', async () => {
    stub.answer = () => ({})
    await aHook('billing', { secret: undefined }).call(aCall())
    expect(stub.seen[0]?.headers).not.toHaveProperty('authorization')
  })
})

describe('is done', () => {
  it.each<[string, StubAnswer]>([
    ['200 with an empty object', { body: {} }],
    ['200 with nothing', { body: '' }],
    ['201 with white space', { status: 201, body: ' \n' }],
    ['204', { status: 204, body: '' }],
    ['200 with properties that nobody knows', { body: { id: 7, refused: [] } }],
    ['200 with a byte order mark', { body: '\ufeff{}' }],
  ])('%s', async (_name, answer) => {
    expect(await answered(answer)).toEqual({ refusedNumbers: {} })
  })

  it('but for the numbers that are refused', async () => {
    const refused = [{ phoneNumber: '+12065550101', message: 'Ported out.' }, { phoneNumber: '+12065550100' }]
    expect(await answered({ body: { refused } })).toEqual({
      refusedNumbers: { '+12065550101': 'Ported out.', '+12065550100': 'refused.' },
    })
  })
})

describe('is refused', () => {
  it.each([402, 409, 422])('%i, with code and message', async (status) => {
    const body = { code: 'NotEnoughCredit', message: 'Pay first.' }
    expect(await answered({ status, body }, 'billing')).toEqual({ refused: body })
  })

  it.each<[string, unknown]>([
    ['no body', ''],
    ['a page of HTML', '<h1>Conflict</h1>'],
    ['a code that is no text', { code: 7 }],
  ])('409 with %s: without code, and with its status for a message', async (_name, body) => {
    expect(await answered({ status: 409, body }, 'billing')).toEqual({
      refused: { code: undefined, message: 'The billing hook answered 409.' },
    })
  })

  it('in words that can be stored and shown, without our secret', async () => {
    const message = `\u0000Key\n${SECRET} is\u0007bad. ${'😀'.repeat(600)}`
    const answer = await answered({ status: 402, body: { code: 'A\u0000B', message } }, 'billing')
    const words = 'Key … is bad. '
    expect(answer.refused).toEqual({ code: 'A B', message: words + '😀'.repeat(500 - words.length) })
    const lone = await answered({ status: 402, body: '{"message":"half \\ud83d"}' }, 'billing')
    expect(lone.refused?.message).toBe('half \ufffd')
  })
})

describe('settles nothing, though the system may have acted', () => {
  it.each([202, 300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 408, 410, 429, 500, 501, 502, 503, 504])(
    '%i to a begin',
    async (status) => {
      expect((await unavailable(answered({ status }))).mayHaveActed).toBe(true)
    },
  )

  it.each([202, 302, 400, 402, 404, 409, 410, 422, 500])('%i to an undo', async (status) => {
    expect((await unavailable(answered({ status }, 'billing', 'undo'))).mayHaveActed).toBe(true)
  })

  it.each<[string, unknown]>([
    ['what is no JSON', 'OK'],
    ['JSON that is no object', '"ok"'],
    ['null', 'null'],
    ['a list', []],
    ['refused numbers that are no list', { refused: '+12065550100' }],
    ['refused numbers in another shape', { refused: ['+12065550100'] }],
  ])('200 with %s', async (_name, body) => {
    expect((await unavailable(answered({ body }))).message).toBe(
      'The fulfilment hook answered with something else than the JSON of docs/hooks.md.',
    )
  })

  it('200 that refuses a number that is not in the purchase', async () => {
    const refused = [{ phoneNumber: '2065550100' }]
    expect((await unavailable(answered({ body: { refused } }))).message).toMatch(/2065550100, which is not in the/)
  })

  it('200 of billing that refuses single numbers', async () => {
    const refused = [{ phoneNumber: '+12065550100' }]
    expect((await unavailable(answered({ body: { refused } }, 'billing'))).message).toMatch(/as a whole\.$/)
  })

  it('an answer without end, of which no more than 256 KiB is read', async () => {
    let written = 0
    const flood = (response: ServerResponse): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 32))) written += 65_536
      if (!response.destroyed) response.once('drain', () => flood(response))
    }
    stub.answer = (_seen, response) => {
      flood(response.writeHead(200))
      return undefined
    }
    expect((await unavailable(aHook().call(aCall()))).message).toBe(
      'The fulfilment hook answered with more than 262144 bytes.',
    )
    expect(written).toBeLessThan(64 * 1024 * 1024)
  })

  it('an answer that does not come in time', async () => {
    stub.answer = () => undefined
    const { message, mayHaveActed } = await unavailable(aHook('billing', { timeoutMs: 50 }).call(aCall()))
    expect([message, mayHaveActed]).toEqual(['The billing hook gave no answer within 50 ms.', true])
  })

  it('an answer that begins in time and does not end in time', async () => {
    stub.answer = (_seen, response) => {
      response.writeHead(200).write('{')
      return undefined
    }
    const { message } = await unavailable(aHook('billing', { timeoutMs: 50 }).call(aCall()))
    expect(message).toBe('The billing hook gave no answer within 50 ms.')
  })

  it('a connection that breaks', async () => {
    stub.answer = (_seen, response) => {
      response.destroy()
      return undefined
    }
    const { message, mayHaveActed } = await unavailable(aHook().call(aCall()))
    expect([message, mayHaveActed]).toEqual(['The fulfilment hook broke the connection off: UND_ERR_SOCKET.', true])
  })

  it('what is not HTTP', async () => {
    const server = createServer()
    server.on('connection', (socket) => socket.end('220 mail.example ESMTP\r\n'))
    const { url, close } = await listen(server)
    try {
      expect((await unavailable(aHook('billing', { url }).call(aCall()))).message).toMatch(
        // From Node 24 on its fetch has no code for it, only a name.
        /^The billing hook broke the connection off: (HPE_INVALID_CONSTANT|HTTPParserError)\.$/,
      )
    } finally {
      await close()
    }
  })

  it('a call that is cut off because the program stops', async () => {
    const stopping = new AbortController()
    stub.answer = () => {
      stopping.abort()
      return undefined
    }
    const { message } = await unavailable(aHook('billing', { stopping: stopping.signal }).call(aCall()))
    expect(message).toBe('The billing hook had not answered when Linebook stopped.')
  })

  it('redirects, which are not followed: the secret stays with whom it is for', async () => {
    stub.answer = () => ({ status: 307, headers: { Location: `${stub.url}/elsewhere` } })
    expect((await unavailable(aHook().call(aCall()))).message).toMatch(/307, and redirects are not followed\.$/)
    expect(stub.seen).toHaveLength(1)
  })
})

describe('is known not to have reached the system', () => {
  it('a call to an address where nothing listens', async () => {
    await stub.close()
    const { message, mayHaveActed } = await unavailable(aHook().call(aCall()))
    expect([message, mayHaveActed]).toEqual(["The fulfilment hook can't be reached: ECONNREFUSED.", false])
  })

  it('a call to an unknown host', async () => {
    // Not asked for real: how long a name server takes to say no, or whether there is one, is the machine's affair.
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation((...given: unknown[]) => {
      const done = given.at(-1) as (error: Error) => void
      done(Object.assign(new Error('getaddrinfo ENOTFOUND nobody.invalid'), { code: 'ENOTFOUND' }))
    })
    try {
      const call = aHook('billing', { url: 'http://nobody.invalid/' }).call(aCall())
      const { message, mayHaveActed } = await unavailable(call)
      expect([message, mayHaveActed]).toEqual([expect.stringMatching(/can't be reached: ENOTFOUND/), false])
      expect(lookup).toHaveBeenCalled()
    } finally {
      lookup.mockRestore()
    }
  })

  it('a call over TLS to a server with an untrusted certificate', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'linebook-hook-'))
    const { cert, key } = await emulatorTls(folder, '127.0.0.1')
    const { url, close } = await listen(createTlsServer({ cert, key }))
    try {
      const { message, mayHaveActed } = await unavailable(
        aHook('billing', { url: url.replace('http:', 'https:') }).call(aCall()),
      )
      expect([message, mayHaveActed]).toEqual([
        "The billing hook can't be reached: DEPTH_ZERO_SELF_SIGNED_CERT.",
        false,
      ])
    } finally {
      await close()
      await rm(folder, { recursive: true })
    }
  })
})

describe('asks for time', () => {
  it.each<[string | undefined, number | undefined]>([
    ['20', 20_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['-1', undefined],
    ['0.5', undefined],
    ['1000000000', 24 * 60 * 60_000],
    [undefined, undefined],
  ])('Retry-After: %s', async (text, afterMs) => {
    for (const status of [202, 429, 503]) {
      const headers = { ...(text !== undefined && { 'Retry-After': text }) }
      expect((await unavailable(answered({ status, headers }))).afterMs).toBe(afterMs)
    }
  })
})

describe('the settings of a hook', () => {
  it.each([
    'billing.example',
    'ftp://billing.example/',
    'https://me:pw@billing.example/',
    'https://billing.example/#a',
  ])('refuse the address %s, and do not repeat it: it may hold a password', (url) => {
    const reading = () => readConfig({ LINEBOOK_BILLING_HOOK_URL: url })
    expect(reading).toThrow(/^LINEBOOK_BILLING_HOOK_URL \(--billing-hook-url\): is not .*the URL of an HTTP server/)
  })

  it('take an address with a query, and a secret that a header can carry', () => {
    const url = 'https://billing.example/linebook?key=1'
    expect(readConfig({ LINEBOOK_BILLING_HOOK_URL: url }).billingHookUrl).toBe(url)
    expect(() => readConfig({ LINEBOOK_HOOK_SECRET: 'a\r\nb' })).toThrow(
      /^LINEBOOK_HOOK_SECRET .* is not a usable value/,
    )
  })
})
