import { describe, expect, it } from 'vitest'
import { DomainError } from '../../../src/errors.js'
import { parseHttpDate, parseRfc3339 } from '../../../src/http/dates.js'
import { checkRead, checkWrite, readConditions, versionHeaders } from '../../../src/provisioning/wire/conditions.js'
import type { Version } from '../../../src/provisioning/wire/etag.js'

/** A client changed it at 12:00:00.250, a sync finished ten seconds later. */
const current: Version = {
  etag: { cfg: 'cfg', state: 'state' },
  modifiedAt: new Date('2024-02-29T12:00:00.250Z'),
  changedAt: new Date('2024-02-29T12:00:10.750Z'),
}

type Headers = Record<string, string>

const answerTo = (act: () => unknown): unknown => {
  try {
    return act() ?? 'proceed'
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    return error.kind === 'condition-not-met' ? '412' : `400 ${error.target}`
  }
}
const write = (method: string, headers: Headers, version: Version | undefined) =>
  answerTo(() => checkWrite(readConditions(method, headers), version))
const read = (headers: Headers) => answerTo(() => checkRead(readConditions('GET', headers), current))

describe('a read', () => {
  it.each<[string, Headers, string]>([
    ['no condition', {}, 'send'],
    ['If-None-Match with the tag', { 'if-none-match': '"cfg.state"' }, 'not-modified'],
    ['If-None-Match with another tag', { 'if-none-match': '"other.state"' }, 'send'],
    ['If-None-Match with the tag of before the sync', { 'if-none-match': '"cfg.pending"' }, 'send'],
    ['If-None-Match with the tag among others', { 'if-none-match': '"a.b", "cfg.state"' }, 'not-modified'],
    ['If-None-Match: *', { 'if-none-match': '*' }, 'not-modified'],
    ['If-Match with the tag', { 'if-match': '"cfg.state"' }, 'send'],
    ['If-Match with another tag', { 'if-match': '"other.state"' }, '412'],
    ['If-Match with the tag of before the sync', { 'if-match': '"cfg.pending"' }, '412'],
    ['If-Match: *', { 'if-match': '*' }, 'send'],
    ['If-Modified-Since before', { 'if-modified-since': 'Thu, 29 Feb 2024 12:00:09 GMT' }, 'send'],
    ['If-Modified-Since in the same second', { 'if-modified-since': 'Thu, 29 Feb 2024 12:00:10 GMT' }, 'not-modified'],
    ['If-Modified-Since after', { 'if-modified-since': 'Thu, 29 Feb 2024 12:00:11 GMT' }, 'not-modified'],
    ['If-Modified-Since to the millisecond', { 'if-modified-since': '2024-02-29T12:00:10.750Z' }, 'not-modified'],
    ['If-Modified-Since a millisecond before', { 'if-modified-since': '2024-02-29T12:00:10.749Z' }, 'send'],
    [
      'If-Modified-Since beside an If-None-Match that differs',
      { 'if-modified-since': 'Thu, 29 Feb 2024 12:00:11 GMT', 'if-none-match': '"other.state"' },
      'send',
    ],
    [
      'If-Modified-Since beside an If-None-Match that is equal',
      { 'if-modified-since': 'Thu, 29 Feb 2024 12:00:09 GMT', 'if-none-match': '"cfg.state"' },
      'not-modified',
    ],
    ['If-Unmodified-Since before', { 'if-unmodified-since': 'Thu, 29 Feb 2024 12:00:09 GMT' }, '412'],
    ['If-Unmodified-Since in the same second', { 'if-unmodified-since': 'Thu, 29 Feb 2024 12:00:10 GMT' }, 'send'],
    [
      'If-Unmodified-Since beside If-Match',
      { 'if-unmodified-since': 'Thu, 29 Feb 2024 12:00:09 GMT', 'if-match': '*' },
      'send',
    ],
    ['If-Match that differs beside If-None-Match: *', { 'if-match': '"x.y"', 'if-none-match': '*' }, '412'],
  ])('with %s', (_, headers, expected) => expect(read(headers)).toBe(expected))

  it('that sends back the headers of a response is answered "not modified"', () => {
    const told = versionHeaders(current)
    expect(told).toEqual({ etag: '"cfg.state"', 'last-modified': 'Thu, 29 Feb 2024 12:00:10 GMT' })
    expect(read({ 'if-none-match': told['etag'] as string })).toBe('not-modified')
    expect(read({ 'if-modified-since': told['last-modified'] as string })).toBe('not-modified')
  })
})

describe('a write', () => {
  it.each<[string, string, Headers, string, string]>([
    ['PUT', 'no condition', {}, 'proceed', 'proceed'],
    ['PUT', 'If-None-Match: *', { 'if-none-match': '*' }, 'proceed', '412'],
    ['PUT', 'If-Match with the tag', { 'if-match': '"cfg.state"' }, '412', 'proceed'],
    ['PUT', 'If-Match with the tag of before the sync', { 'if-match': '"cfg.pending"' }, '412', 'proceed'],
    ['PUT', 'If-Match with another tag', { 'if-match': '"other.state"' }, '412', '412'],
    ['PUT', 'If-Match with the tag among others', { 'if-match': '"a.b", W/"cfg.state"' }, '412', 'proceed'],
    ['PUT', 'If-Match: *', { 'if-match': '*' }, '412', 'proceed'],
    ['PUT', 'If-None-Match with the tag', { 'if-none-match': '"cfg.state"' }, 'proceed', '412'],
    ['PUT', 'If-None-Match with the tag of before the sync', { 'if-none-match': '"cfg.x"' }, 'proceed', '412'],
    ['PUT', 'If-None-Match with another tag', { 'if-none-match': '"other.state"' }, 'proceed', 'proceed'],
    ['PATCH', 'If-Match with the tag', { 'if-match': '"cfg.state"' }, '412', 'proceed'],
    ['PATCH', 'If-Match with another tag', { 'if-match': '"other.state"' }, '412', '412'],
    ['PATCH', 'If-None-Match with the tag', { 'if-none-match': '"cfg.state"' }, 'proceed', '412'],
    ['PATCH', 'If-None-Match with another tag', { 'if-none-match': '"other.state"' }, 'proceed', 'proceed'],
    ['DELETE', 'no condition', {}, 'proceed', 'proceed'],
    ['DELETE', 'If-Match with the tag', { 'if-match': '"cfg.state"' }, '412', 'proceed'],
    ['DELETE', 'If-Match with another tag', { 'if-match': '"other.state"' }, '412', '412'],
    ['DELETE', 'If-Match: *', { 'if-match': '*' }, '412', 'proceed'],
    ['DELETE', 'If-None-Match with the tag', { 'if-none-match': '"cfg.state"' }, 'proceed', '412'],
    ['PUT', 'If-Unmodified-Since before', { 'if-unmodified-since': 'Thu, 29 Feb 2024 11:59:59 GMT' }, 'proceed', '412'],
    [
      'PUT',
      'If-Unmodified-Since in the second of the last write, before the sync',
      { 'if-unmodified-since': 'Thu, 29 Feb 2024 12:00:00 GMT' },
      'proceed',
      'proceed',
    ],
    [
      'PUT',
      'If-Unmodified-Since earlier in that second',
      { 'if-unmodified-since': '2024-02-29T12:00:00.249Z' },
      'proceed',
      '412',
    ],
    ['DELETE', 'If-Unmodified-Since before', { 'if-unmodified-since': '2024-02-29T11:00:00Z' }, 'proceed', '412'],
    [
      'PATCH',
      'If-Unmodified-Since before, beside If-Match with the tag',
      { 'if-unmodified-since': 'Thu, 29 Feb 2024 11:59:59 GMT', 'if-match': '"cfg.state"' },
      '412',
      'proceed',
    ],
    ['PUT', 'If-Modified-Since', { 'if-modified-since': 'Thu, 29 Feb 2024 12:00:11 GMT' }, 'proceed', 'proceed'],
    ['PUT', 'ETag with the tag', { etag: '"cfg.state"' }, '412', 'proceed'],
    ['PUT', 'ETag with another tag', { etag: '12345' }, '412', '412'],
    ['PUT', 'ETag beside If-None-Match: *', { etag: '"other.state"', 'if-none-match': '*' }, 'proceed', '412'],
    ['PUT', 'ETag beside If-Match', { etag: '"other.state"', 'if-match': '"cfg.state"' }, '412', 'proceed'],
    ['PATCH', 'ETag', { etag: '"other.state"' }, 'proceed', 'proceed'],
    ['DELETE', 'ETag', { etag: '"other.state"' }, 'proceed', 'proceed'],
  ])('%s with %s', (method, _, headers, whenAbsent, whenPresent) => {
    expect([write(method, headers, undefined), write(method, headers, current)]).toEqual([whenAbsent, whenPresent])
  })

  it('that is refused gets the name of the header, and the advice to read the resource again', () => {
    const conditions = readConditions('PUT', { 'if-match': '"other.state"' })
    expect(() => checkWrite(conditions, current)).toThrow(
      expect.objectContaining({ target: 'If-Match', message: expect.stringContaining('read it again') }),
    )
  })
})

describe('a tag may be written', () => {
  it.each<[string, string | string[]]>([
    ['"12345"', ['12345']],
    ['12345', ['12345']],
    ['W/"12345"', ['12345']],
    ['W/12345', ['12345']],
    ['"a.b","c.d" , W/"e.f", g.h', ['a.b', 'c.d', 'e.f', 'g.h']],
    [',"a",,', ['a']],
    ['""', ['']],
    [' * ', '*'],
  ])('%s', (text, tags) => {
    expect(readConditions('GET', { 'if-match': text }).ifMatch).toEqual(tags)
    expect(readConditions('GET', { 'if-none-match': text }).ifNoneMatch).toEqual(tags)
  })
})

describe('what cannot be read is refused, and the header named', () => {
  it.each(['', ' ', ',', '"abc', 'abc"', 'a b', '"a b"', 'w/"a"', '*,"a"', 'W/', '"a""b"', 'é\u0100'])(
    'tag %j',
    (text) => {
      const method = 'PUT'
      expect(write(method, { 'if-match': text }, current)).toBe('400 If-Match')
      expect(write(method, { 'if-none-match': text }, current)).toBe('400 If-None-Match')
      expect(write(method, { etag: text }, current)).toBe('400 ETag')
      expect(read({ 'if-none-match': text })).toBe('400 If-None-Match')
    },
  )
  it.each(['', 'yesterday', '1709208000', '2024-02-29', '2024-02-30T00:00:00Z', 'Thu, 30 Feb 2024 12:00:00 GMT'])(
    'date %j',
    (text) => {
      expect(read({ 'if-modified-since': text })).toBe('400 If-Modified-Since')
      expect(write('PUT', { 'if-unmodified-since': text }, undefined)).toBe('400 If-Unmodified-Since')
    },
  )
})

describe('a date may be written', () => {
  const instant = new Date('1994-11-06T08:49:37Z')
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    '%s',
    (text) => expect(parseHttpDate(text)).toEqual(instant),
  )
  it.each([
    '1994-11-06T08:49:37Z',
    '1994-11-06t08:49:37.000z',
    '1994-11-06T09:49:37+01:00',
    '1994-11-06T00:49:37-08:00',
  ])('%s', (text) => expect(parseRfc3339(text)).toEqual(instant))
  it('with a leap second', () => {
    expect(parseRfc3339('2016-12-31T23:59:60Z')).toEqual(new Date('2017-01-01T00:00:00Z'))
  })
  it.each([
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00',
    '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00Z\n',
  ])('but not %j', (text) => expect(parseRfc3339(text)).toBeUndefined())
})
