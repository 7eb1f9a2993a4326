import { describe, expect, it } from 'vitest'
import { requestMark, type Asked, type Evidence } from '../../src/auth/request-mark.js'

const ID = '378ddf60-81be-452a-ba4f-613198ea6c28'
const asked: Asked = { method: 'POST', target: '/availablePhoneNumbers/:purchase', body: Buffer.from('{}') }
const signed = (byte = 1): Evidence => ({ scheme: 'access-key', signature: Buffer.alloc(32, byte) })
const token = (over: object = {}): Evidence => ({ scheme: 'token', callerId: 'shop', issuer: 'built-in', ...over })
const mark = (evidence: Evidence, over: Partial<Asked> = {}, id: string | undefined = ID) =>
  requestMark(evidence, { ...asked, ...over }, id)

describe.each([
  ['signed', signed()],
  ['with a token', token()],
])('the mark of a request whose id is a UUID, %s', (_how, evidence) => {
  it('is the same when client, id and all that is asked are', () => {
    expect(mark(evidence)).toEqual(mark(evidence))
    expect(mark(evidence)).toEqual(mark(evidence, {}, ID.toUpperCase()))
  })

  it.each<[string, Partial<Asked>]>([
    ['method', { method: 'PATCH' }],
    ['target', { target: '/availablePhoneNumbers/:purchase?api-version=1' }],
    ['body', { body: Buffer.from('{ }') }],
  ])('is another with another %s', (_what, over) => {
    expect(mark(evidence, over)).not.toEqual(mark(evidence))
  })

  it('is another with another id', () => {
    expect(mark(evidence)).not.toEqual(mark(evidence, {}, '0f2f2a3e-0000-4000-8000-000000000000'))
  })
})

it('is the same under a new signature: some clients sign each attempt anew', () => {
  expect(mark(signed())).toEqual(mark(signed(2)))
})

it.each([{ callerId: 'fleet' }, { issuer: 'other' }])('is another for another client: %j', (over) => {
  expect(mark(token())).not.toEqual(mark(token(over)))
  expect(mark(token())).not.toEqual(mark(signed()))
})

describe('an id that stands for no single request', () => {
  it('makes a mark with the signature', () => {
    expect(mark(signed(), {}, 'any words')).toEqual(mark(signed(), {}, 'any words'))
    expect(mark(signed(), {}, 'any words')).not.toEqual(mark(signed(2), {}, 'any words'))
    expect(mark(signed(), {}, 'any words')).not.toEqual(mark(signed(), {}, 'other'))
  })

  it('makes none with a token', () => {
    expect(mark(token(), {}, 'shop')).toBeNull()
  })
})

it.each([signed(), token()])('no request without an id has a mark', (evidence) => {
  expect(requestMark(evidence, asked, undefined)).toBeNull()
  expect(requestMark(evidence, asked, '')).toBeNull()
})
