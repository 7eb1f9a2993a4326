import { describe, expect, it } from 'vitest'
import {
  canonicalJson,
  etagOf,
  etagText,
  formatEtag,
  sameConfiguration,
  sameVersion,
} from '../../../src/provisioning/wire/etag.js'

const settings = { name: 'contoso', serviceDetails: { teamsOperatorConnect: { enabled: true, syncEnabled: true } } }
const reordered = { serviceDetails: { teamsOperatorConnect: { syncEnabled: true, enabled: true } }, name: 'contoso' }

describe('a tag', () => {
  it('is strong and quoted, in two short parts', () => {
    expect(formatEtag(etagOf(settings, { status: 'pending' }))).toMatch(/^"[\w-]{12}\.[\w-]{12}"$/)
  })
  it('is the same whatever the order of properties', () => {
    expect(etagOf(reordered, { a: 1, b: 2 })).toEqual(etagOf(settings, { b: 2, a: 1 }))
  })
  it('counts undefined as absent', () => {
    expect(etagOf({ ...settings, correlationId: undefined }, undefined)).toEqual(etagOf(settings, null))
  })
  it('changes in the part that changed', () => {
    const before = etagOf(settings, { status: 'pending' })
    const synced = etagOf(settings, { status: 'synced' })
    const renamed = etagOf({ ...settings, name: 'fabrikam' }, { status: 'pending' })
    expect([synced.cfg === before.cfg, synced.state === before.state]).toEqual([true, false])
    expect([renamed.cfg === before.cfg, renamed.state === before.state]).toEqual([false, true])
  })
  it.each([
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: '1' }, { a: 1 }],
    [{ a: null }, {}],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
  ])('tells %j from %j', (one, other) => expect(etagOf(one, null)).not.toEqual(etagOf(other, null)))
})

it('canonical JSON sorts the keys of every object and writes points in time as texts', () => {
  expect(canonicalJson({ b: [{ d: 1, c: undefined, a: new Date(0) }], a: null })).toBe(
    '{"a":null,"b":[{"a":"1970-01-01T00:00:00.000Z","d":1}]}',
  )
})

describe('comparing', () => {
  const etag = { cfg: 'abc', state: 'def' }
  it.each([
    ['abc.def', true, true],
    ['abc.xyz', false, true],
    ['xyz.def', false, false],
    ['abc', false, false],
    ['abc.', false, true],
    ['abc.def.ghi', false, false],
    ['', false, false],
  ])('%j is the same version: %j, the same configuration: %j', (tag, version, configuration) => {
    expect([sameVersion(tag, etag), sameConfiguration(tag, etag)]).toEqual([version, configuration])
  })
  it('a tag is the version it was made from', () => {
    const own = etagOf(settings, {})
    expect(sameVersion(etagText(own), own) && sameConfiguration(etagText(own), own)).toBe(true)
  })
})
