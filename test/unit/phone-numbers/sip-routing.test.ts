import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DomainError } from '../../../src/errors.js'
import { errorResponse } from '../../../src/phone-numbers/errors.js'
import {
  changed,
  trunkKey,
  type SipConfiguration,
  type SipConfigurationChange,
  type SipRoute,
  type TrunkChange,
} from '../../../src/phone-numbers/sip/configuration.js'
import { bracketFault } from '../../../src/phone-numbers/sip/number-pattern.js'
import { isFqdn, requireValid } from '../../../src/phone-numbers/sip/rules.js'

const route = (name: string, trunks: string[] = [], numberPattern = '^\\+1'): SipRoute => ({
  name,
  numberPattern,
  trunks,
})
const A = { fqdn: 'a.contoso.com', sipSignalingPort: 5061 }
const B = { fqdn: 'b.contoso.com', sipSignalingPort: 5062 }
const valid: SipConfiguration = { trunks: [A, B], routes: [route('first', [A.fqdn, B.fqdn]), route('second')] }

/** What a client is answered about a configuration; undefined when nothing is wrong with it. */
function refusalOf(over: Partial<SipConfiguration>): ReturnType<typeof errorResponse> | undefined {
  try {
    requireValid({ ...valid, ...over })
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(DomainError)
    return errorResponse(error)
  }
}

const withTrunk = (fqdn: string, sipSignalingPort = 5061) => ({ trunks: [...valid.trunks, { fqdn, sipSignalingPort }] })
const withRoute = (...routes: SipRoute[]) => ({ routes: [...valid.routes, ...routes] })

describe('a configuration', () => {
  it('that breaks no rule is let through', () => {
    expect(refusalOf({})).toBeUndefined()
    expect(refusalOf({ trunks: [], routes: [] })).toBeUndefined()
  })

  it.each<[string, Partial<SipConfiguration>, number, string, string, string]>([
    [
      'two routes of one name',
      withRoute(route('first')),
      400,
      'DuplicatedRoute',
      'There is a duplicated route.',
      'routes.2.name',
    ],
    [
      'a trunk twice in a route',
      withRoute(route('third', [A.fqdn, 'A.Contoso.com'])),
      400,
      'RouteWithDuplicatedTrunk',
      'There is a duplicated trunk in a route.',
      'routes.2.trunks.1',
    ],
    [
      'a bad name of a trunk',
      withTrunk('-1'),
      422,
      'InvalidTrunkFqdn',
      "Domain '-1' is not properly formatted domnain name.",
      'trunks.-1',
    ],
    [
      'port 0',
      withTrunk('C.contoso.com', 0),
      422,
      'InvalidTrunkSipSignalingPort',
      'Trunk with an invalid SIP signaling port.',
      'trunks.c.contoso.com.sipsignalingport',
    ],
    [
      'an empty name of a route',
      withRoute(route('')),
      422,
      'InvalidRouteName',
      'Route with an invalid name.',
      'routes.2.name',
    ],
    [
      'an empty pattern',
      withRoute(route('third', [], '')),
      422,
      'InvalidRouteNumberPattern',
      'Route with an invalid number pattern.',
      'routes.2.numberpattern',
    ],
    [
      'a route to a trunk that is not there',
      withRoute(route('third', [A.fqdn, 'gone.contoso.com'])),
      422,
      'MissingTrunk',
      'Route targeting a missing trunk.',
      'routes.2.trunks.1',
    ],
  ])('with %s is refused with the recorded code and text', (_what, over, status, code, message, target) => {
    const answer = refusalOf(over)
    expect(answer).toMatchObject({
      status,
      headers: { 'x-ms-error-code': 'UnprocessableConfiguration' },
      body: {
        error: {
          code: 'UnprocessableConfiguration',
          message: 'One or more request inputs are not valid.',
          innererror: { code, message, details: [{ code, target }] },
        },
      },
    })
    expect(Object.keys(answer?.body.error ?? {})).toEqual(['code', 'message', 'innererror'])
  })

  it.each<[Partial<SipConfiguration>, string]>([
    [withTrunk('c.contoso.com', 65536), 'InvalidTrunkSipSignalingPort'],
    [withTrunk('c.contoso.com', -1), 'InvalidTrunkSipSignalingPort'],
    [withTrunk('c.contoso.com', 65535), ''],
    [withTrunk(`${'a.'.repeat(123)}com`), ''],
    [withTrunk(`${'a.'.repeat(124)}com`), 'InvalidTrunkFqdn'],
    [withRoute(route('  ')), 'InvalidRouteName'],
    [withRoute(route('n'.repeat(256))), ''],
    [withRoute(route('n'.repeat(257))), 'InvalidRouteName'],
    [withRoute(route('third', [], '1'.repeat(1024))), ''],
    [withRoute(route('third', [], '1'.repeat(1025))), 'InvalidRouteNumberPattern'],
    [withRoute(route('third', [], '^(')), 'InvalidRouteNumberPattern'],
    [withRoute(route('third', ['B.CONTOSO.COM'])), ''],
    [withRoute(route('First')), ''],
  ])('at a limit: %#', (over, code) => {
    expect(refusalOf(over)?.body.error.innererror?.code ?? '').toBe(code)
  })

  it.each<[Partial<SipConfiguration>, string, string]>([
    [
      { trunks: Array.from({ length: 251 }, (_, i) => ({ ...A, fqdn: `t${i}.contoso.com` })), routes: [] },
      'trunks',
      'There may be at most 250 trunks, not 251.',
    ],
    [
      { routes: Array.from({ length: 251 }, (_, i) => route(`r${i}`)) },
      'routes',
      'There may be at most 250 routes, not 251.',
    ],
    [
      withRoute(route('third', Array<string>(251).fill(A.fqdn))),
      'routes.2.trunks',
      "There may be at most 250 trunks of route 'third', not 251.",
    ],
    [
      withRoute({ ...route('third'), description: 'd'.repeat(1025) }),
      'routes.2.description',
      "There may be at most 1024 characters in the description of route 'third', not 1025.",
    ],
    [withRoute(route('a\0')), 'routes.2.name', 'routes.2.name has a NUL'],
    [withRoute(route('third', [], '\ud800')), 'routes.2.numberpattern', 'routes.2.numberPattern has a NUL or half of'],
    [withRoute({ ...route('third'), description: '\0' }), 'routes.2.description', 'routes.2.description has a NUL'],
  ])('with too much, or what cannot be stored, is refused as invalid input: %#', (over, target, message) => {
    const answer = refusalOf(over)
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'InvalidInput', target } } })
    expect(answer?.body.error.message).toContain(message)
  })

  it('with 250 of everything is let through', () => {
    const trunks = Array.from({ length: 250 }, (_, i) => ({ ...A, fqdn: `t${i}.contoso.com` }))
    const fqdns = trunks.map(({ fqdn }) => fqdn)
    const routes = Array.from({ length: 250 }, (_, i) => route(`r${i}`, fqdns))
    expect(refusalOf({ trunks, routes })).toBeUndefined()
  })

  it('with several faults gets all of them, duplicates first', () => {
    const answer = refusalOf({
      trunks: [...valid.trunks, { fqdn: 'x', sipSignalingPort: 0 }],
      routes: [route('', ['gone.contoso.com']), route('same'), route('same', [], '[')],
    })
    expect(answer?.status).toBe(400)
    expect(answer?.body.error.innererror?.details?.map(({ code }) => code)).toEqual([
      'DuplicatedRoute',
      'InvalidTrunkFqdn',
      'InvalidTrunkSipSignalingPort',
      'InvalidRouteName',
      'InvalidRouteNumberPattern',
      'MissingTrunk',
    ])
  })

  it('with very many faults gets the first twenty, and long texts are cut', () => {
    const answer = refusalOf({
      routes: [
        route(
          'r'.repeat(256),
          Array.from({ length: 250 }, (_, i) => `${i}`),
        ),
      ],
    })
    expect(answer?.body.error.innererror?.details).toHaveLength(20)
    const long = refusalOf(withTrunk('x'.repeat(100_000)))
    expect(JSON.stringify(long?.body).length).toBeLessThan(2_000)
  })

  it('with text that looks like a replacement pattern is quoted as it is', () => {
    expect(refusalOf(withTrunk("$&$'"))?.body.error.innererror?.message).toContain("Domain '$&$''")
  })
})

describe('a change', () => {
  const fqdn = fc.constantFrom('a.contoso.com', 'A.contoso.com', 'b.contoso.com', 'c.contoso.com', '__proto__')
  const trunkChange: fc.Arbitrary<TrunkChange> = fc.oneof(
    fqdn.map((name): TrunkChange => ({ fqdn: name, remove: true })),
    fc
      .tuple(fqdn, fc.integer({ min: 1, max: 3 }))
      .map(([name, sipSignalingPort]): TrunkChange => ({ fqdn: name, sipSignalingPort })),
    fqdn.map((name): TrunkChange => ({ fqdn: name })),
  )
  const routes = fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 5 })
    .map((names) => names.map((name) => route(name)))
  const change: fc.Arbitrary<SipConfigurationChange> = fc.record({
    trunks: fc.array(trunkChange, { maxLength: 6 }),
    routes: fc.option(routes, { nil: undefined }),
  })
  const configuration = fc
    .tuple(fc.uniqueArray(fc.constantFrom(A, B), { maxLength: 2 }), routes)
    .map(([trunks, kept]): SipConfiguration => ({ trunks, routes: kept }))

  it('made twice is the same as made once', () => {
    fc.assert(
      fc.property(configuration, change, (before, asked) => {
        const once = changed(before, asked)
        expect(changed(once, asked)).toEqual(once)
      }),
    )
  })

  it('keeps the order of routes, gives each trunk once, and touches no trunk that it does not name', () => {
    fc.assert(
      fc.property(configuration, change, (before, asked) => {
        const after = changed(before, asked)
        expect(after.routes).toEqual(asked.routes ?? before.routes)
        const keys = after.trunks.map((trunk) => trunkKey(trunk.fqdn))
        expect(new Set(keys).size).toBe(keys.length)
        const named = new Set(asked.trunks.map((trunk) => trunkKey(trunk.fqdn)))
        const others = (trunks: SipConfiguration['trunks']) =>
          trunks.filter((trunk) => !named.has(trunkKey(trunk.fqdn)))
        expect(others(after.trunks)).toEqual(others(before.trunks))
      }),
    )
  })

  it('leaves what it was made to as it was', () => {
    const before = structuredClone(valid)
    changed(valid, { trunks: [{ fqdn: A.fqdn, remove: true }], routes: [] })
    expect(valid).toEqual(before)
  })

  it('that removes one spelling and sets another leaves the trunk with the new one, wherever they stand', () => {
    const set = { fqdn: 'A.Contoso.com', sipSignalingPort: 1 }
    const remove = { fqdn: A.fqdn, remove: true } as const
    for (const trunks of [
      [set, remove],
      [remove, set],
    ]) {
      expect(changed(valid, { trunks, routes: undefined }).trunks).toEqual([set, B])
    }
  })
})

describe('a name', () => {
  it.each([
    'sbc.contoso.com',
    'SBC.Contoso.COM',
    '1.2.example',
    'a.b',
    'x--y.example',
    'xn--bcher-kva.example',
    `${'a'.repeat(63)}.de`,
  ])('%s is an FQDN', (text) => {
    expect(isFqdn(text)).toBe(true)
  })

  it.each([
    '',
    '-1',
    'sbc',
    'sbc.contoso.com.',
    '.contoso.com',
    'sbc..com',
    '-sbc.contoso.com',
    'sbc-.contoso.com',
    'sbc_1.contoso.com',
    'sbc contoso.com',
    'sbc.contoso.com:5061',
    'sip:sbc.contoso.com',
    '*.contoso.com',
    'bücher.example',
    '192.0.2.1',
    '[2001:db8::1]',
    `${'a'.repeat(64)}.de`,
    'sbc.contoso.com\n',
    'sbc.con\0toso.com',
    '__proto__',
    'constructor',
  ])('%j is no FQDN', (text) => {
    expect(isFqdn(text)).toBe(false)
  })
})

describe('the brackets of a number pattern', () => {
  it.each([
    '^+[1-9][0-9]{3,23}$',
    '\\+[1-9][0-9]{3,23}',
    '\\+123[0-9]+',
    '.*',
    '^(\\+1|00)(\\d{10})$',
    '(?<area>\\d{3})',
    '(?i)(?:a|b)',
    '[]a]',
    '[^]a]',
    '[(]',
    '[a-z-[aeiou]]',
    '[a-z-[aeiou-[e]]]',
    '[-[]',
    '[\\]]',
    '\\(',
    '\\[',
    '(?#a ( in a comment)1',
    'a{',
    '}',
    ']',
    '1{3',
  ])('%s match', (pattern) => {
    expect(bracketFault(pattern)).toBeUndefined()
  })

  it.each([
    ['(', 'has a ( without its )'],
    ['(1', 'has a ( without its )'],
    ['((1)', 'has a ( without its )'],
    ['1)', 'has a ) without its ('],
    [')(', 'has a ) without its ('],
    ['[', 'has a [ without its ]'],
    ['[]', 'has a [ without its ]'],
    ['[^]', 'has a [ without its ]'],
    ['[1-9', 'has a [ without its ]'],
    ['[1\\]', 'has a [ without its ]'],
    ['[a-z-[aeiou]', 'has a [ without its ]'],
    ['(?#1', 'has a (?# without its )'],
    ['1\\', 'ends in a backslash that escapes nothing'],
  ])('%s do not match', (pattern, fault) => {
    expect(bracketFault(pattern)).toBe(fault)
  })

  it('are checked to the end of any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('(', ')', '[', ']', '-', '^', '\\', '?', '#', '1'), maxLength: 30 }),
        (pattern) => {
          expect(bracketFault(pattern)).toSatisfy((fault) => fault === undefined || typeof fault === 'string')
        },
      ),
    )
  })
})
