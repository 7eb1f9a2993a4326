import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  checkDateAndBody,
  hostForms,
  parseAuthorization,
  verifySignature,
  type ParsedSignature,
  type SignedRequest,
} from '../../src/auth/access-key.js'

/** Two requests with their signatures, computed apart from this code and equal to what the SDKs send. */
const KEY = 'Y29udHJhY3QtZXhhbXBsZS1rZXktMDEyMzQ1Njc4OSE='
const DATE = 'Tue, 17 Jun 2025 16:42:39 GMT'
const HOST = 'acs.example.test:8443'
const SEARCH_BODY =
  '{"phoneNumberType":"tollFree","assignmentType":"application","capabilities":{"calling":"none","sms":"outbound"},"quantity":1}'
const EMPTY_HASH = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
const LOCALITIES =
  '/availablePhoneNumbers/countries/US/localities?skip=0&maxPageSize=100&administrativeDivision=New%20York&api-version=2025-06-01'

const search: SignedRequest = {
  method: 'POST',
  target: '/availablePhoneNumbers/countries/US/:search?api-version=2025-06-01',
  headers: { host: HOST, 'x-ms-date': DATE, 'x-ms-content-sha256': 'COs03n9//4WQt1UsdXt+2dIjR64tXiTfUFUQvUnvw9c=' },
  body: Buffer.from(SEARCH_BODY),
}
const localities: SignedRequest = {
  method: 'GET',
  target: LOCALITIES,
  headers: { host: HOST, 'x-ms-date': DATE, 'x-ms-content-sha256': EMPTY_HASH },
  body: Buffer.alloc(0),
}

const keys = [createSecretKey(Buffer.from(KEY, 'base64'))]
const header = (signature: string, names = 'x-ms-date;host;x-ms-content-sha256') =>
  `HMAC-SHA256 SignedHeaders=${names}&Signature=${signature}`
const parsed = (signature: string): ParsedSignature => {
  const result = parseAuthorization(header(signature))
  if (typeof result === 'string') throw new Error(result)
  return result
}
const verifies = (request: SignedRequest, signature: string, hosts = hostForms(HOST)) =>
  verifySignature(request, parsed(signature), keys, hosts)

describe('a signature', () => {
  it('is recognised as the SDKs make it', () => {
    expect(verifies(search, 'UHz7E2U6WfJbWpZB7Dl9nBwER9jq8pKMIvR0hqOIXHI=')).toBe(true)
  })

  it('is recognised over the host without its port, as Java signs it', () => {
    expect(verifies(search, 'Elxny8cKJ5vdXa5t+YDyxkfOuj7oH19oiT7pIMpBht0=')).toBe(true)
  })

  it('is recognised over the raw query, as Python, .NET and Java sign it', () => {
    expect(verifies(localities, 'cx+iVZq3HStsReg/BbC9vRmA5D5aXwnyJOobbysVwB8=')).toBe(true)
  })

  it('is recognised over the query as JavaScript writes it again', () => {
    expect(verifies(localities, '9o+da+br0C7oCDRghlF95bwUbR7bKHujkONF7hJxFCQ=')).toBe(true)
  })

  it.each([
    ['another method', { ...search, method: 'PUT' }],
    ['another path', { ...search, target: search.target.replace('US', 'CA') }],
    ['another query', { ...search, target: `${search.target}&skip=1` }],
    ['another date', { ...search, headers: { ...search.headers, 'x-ms-date': DATE.replace('39', '40') } }],
    ['another body hash', { ...search, headers: { ...search.headers, 'x-ms-content-sha256': EMPTY_HASH } }],
  ])('over %s is none', (_what, request) => {
    expect(verifies(request, 'UHz7E2U6WfJbWpZB7Dl9nBwER9jq8pKMIvR0hqOIXHI=')).toBe(false)
  })

  it('over another host is none', () => {
    expect(verifies(search, 'UHz7E2U6WfJbWpZB7Dl9nBwER9jq8pKMIvR0hqOIXHI=', hostForms('other.example.test:8443'))).toBe(
      false,
    )
  })

  it('of another key is none', () => {
    const other = [createSecretKey(Buffer.from('another key'))]
    const signature = parsed('UHz7E2U6WfJbWpZB7Dl9nBwER9jq8pKMIvR0hqOIXHI=')
    expect(verifySignature(search, signature, other, hostForms(HOST))).toBe(false)
  })
})

describe('the Authorization header', () => {
  const good = 'UHz7E2U6WfJbWpZB7Dl9nBwER9jq8pKMIvR0hqOIXHI='

  it.each([
    ['missing', undefined, 'not-access-key'],
    ['of another scheme', 'Basic dXNlcjpwYXNz', 'not-access-key'],
    ['without parameters', 'HMAC-SHA256', 'not-access-key'],
    ['without a signature', 'HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256', 'malformed'],
    ['with a signature of the wrong length', header('AAAA'), 'malformed'],
    ['that does not sign the host', header(good, 'x-ms-date;x-ms-content-sha256'), 'malformed'],
    ['that does not sign a date', header(good, 'host;x-ms-content-sha256'), 'malformed'],
    ['that does not sign the body hash', header(good, 'x-ms-date;host'), 'malformed'],
    ['of garbage', 'HMAC-SHA256 &&&', 'malformed'],
  ])('%s is refused', (_what, value, refusal) => {
    expect(parseAuthorization(value)).toBe(refusal)
  })

  it('may name its scheme in any letter case and sign more headers, date among them', () => {
    expect(
      parseAuthorization(header(good, 'date;host;x-ms-content-sha256;x-ms-other').replace('HMAC', 'hmac')),
    ).toMatchObject({ signedHeaders: ['date', 'host', 'x-ms-content-sha256', 'x-ms-other'] })
  })
})

describe('date and body', () => {
  const WINDOW_MS = 15 * 60_000
  const signature = parsed('UHz7E2U6WfJbWpZB7Dl9nBwER9jq8pKMIvR0hqOIXHI=')
  const at = (offsetMs: number) => new Date(Date.parse(DATE) + offsetMs)
  const check = (request: SignedRequest, now: Date) => checkDateAndBody(request, signature, now, WINDOW_MS)

  it('pass up to the edge of the window on either side', () => {
    expect(check(search, at(WINDOW_MS))).toBeUndefined()
    expect(check(search, at(-WINDOW_MS))).toBeUndefined()
  })

  it('are refused outside of it', () => {
    expect(check(search, at(WINDOW_MS + 1))).toBe('outside-date-window')
    expect(check(search, at(-WINDOW_MS - 1))).toBe('outside-date-window')
  })

  it.each(['', 'yesterday', '2025-06-17T16:42:39Z', 'Tue, 17 Jun 2025 16:42:39', 'Tue, 42 Jun 2025 16:42:39 GMT'])(
    'are refused when the date is "%s"',
    (date) => {
      const request = { ...search, headers: { ...search.headers, 'x-ms-date': date } }
      expect(check(request, at(0))).toBe('malformed')
    },
  )

  it('are refused when the body is not what its hash says', () => {
    expect(check({ ...search, body: Buffer.from(`${SEARCH_BODY} `) }, at(0))).toBe('body-hash-differs')
    expect(check({ ...search, headers: { ...search.headers, 'x-ms-content-sha256': undefined } }, at(0))).toBe(
      'body-hash-differs',
    )
  })
})
