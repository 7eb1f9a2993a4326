import { describe, expect, it } from 'vitest'
import { requestMark, type Asked, type Evidence } from '../../src/auth/request-mark.js'

const ID = '378ddf60-81be-452a-ba4f-613198ea6c28'
const asked: Asked = { method: 'POST', target: '/availablePhoneNumbers/:purchase', body: Buffer.from('{}') }
const signed = (byte = 1): Evidence => ({ scheme: 'access-key', signature: Buffer.alloc(32, byte) })
const token = (byte = 1): Evidence => ({
  scheme: 'token',
  tokenHash: Buffer.alloc(32, byte),
  callerId: 'shop',
  issuer: 'built-in',
})
const mark = (evidence: Evidence, over: Partial<Asked> = {}, id: string | undefined = ID) =>
  requestMark(evidence, { ...asked, ...over }, id)

describe('the mark of a signed request', () => {
  it('is the same when signature and id are', () => {
    expect(mark(signed())).toEqual(mark(signed()))
    expect(mark(signed(), {}, 'any words')).toEqual(mark(signed(), {}, 'any words'))
  })

  it('is another with another signature or id', () => {
    expect(mark(signed())).not.toEqual(mark(signed(2)))
    expect(mark(signed())).not.toEqual(mark(signed(), {}, 'other'))
  })
})

describe('the mark of a request with a token', () => {
  it('is the same when token, id and all that is asked are', () => {
    expect(mark(token())).toEqual(mark(token()))
    expect(mark(token())).toEqual(mark(token(), {}, ID.toUpperCase()))
  })

  it.each<[string, Partial<Asked>]>([
    ['method', { method: 'PATCH' }],
    ['target', { target: '/availablePhoneNumbers/:purchase?api-version=1' }],
    ['body', { body: Buffer.from('{ }') }],
  ])('is another with another %s', (_what, over) => {
    expect(mark(token(), over)).not.toEqual(mark(token()))
  })

  it('is another with another token or id', () => {
    expect(mark(token())).not.toEqual(mark(token(2)))
    expect(mark(token())).not.toEqual(mark(token(), {}, '0f2f2a3e-0000-4000-8000-000000000000'))
  })

  it('is none where the id stands for no single request', () => {
    expect(mark(token(), {}, 'shop')).toBeNull()
  })
})

it.each([signed(), token()])('no request without an id has a mark', (evidence) => {
  expect(requestMark(evidence, asked, undefined)).toBeNull()
  expect(requestMark(evidence, asked, '')).toBeNull()
})
