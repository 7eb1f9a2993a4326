import { describe, expect, it } from 'vitest'
import { requeuedText } from '../../src/cli/text/requeued-text.js'
import { statusText } from '../../src/cli/text/status-text.js'
import { timelineText } from '../../src/cli/text/timeline-text.js'
import { duration, printable, relative } from '../../src/cli/text/words.js'
import type {
  ServiceStandingJson,
  ServiceStatusJson,
  TimelineEntryJson,
  TimelineJson,
} from '../../src/operator/status/views.js'

const NOW = '2026-03-01T12:00:00.000Z'
const e164 = '+12065550100'
const item = { kind: 'number', key: e164, account: 'contoso' } as const

const aService = (over: Partial<ServiceStatusJson> = {}): ServiceStatusJson => ({
  service: 'oc',
  backend: 'http',
  circuit: 'closed',
  pending: { count: 0, due: 0, claimed: 0, waiting: 0, dueSince: null, nextAttemptAt: null, oldest: null },
  failed: { count: 0, refusals: [] },
  lastError: null,
  ...over,
})
const nothingPending = aService().pending
const status = (...services: ServiceStatusJson[]): string =>
  statusText({ at: NOW, services, purchases: [] }, 'the database')

describe('the status', () => {
  it('says that all is well, when it is', () => {
    const text = status(aService(), aService({ service: 'dns', backend: 'built-in' }))
    expect(text).toBe(
      [
        '2026-03-01 12:00:00 UTC, says the database',
        '',
        'SERVICE                    BACKEND   CALLS  PENDING  DUE  UNDER WAY  WAITING  NEXT TRY  OLDEST  FAILED',
        'oc       Operator Connect  http      ok           0    0          0        0         -       -       0',
        'dns      DNS records       built-in  ok           0    0          0        0         -       -       0',
        '',
        'Every backend is in sync, and nothing was refused.',
      ].join('\n'),
    )
    const underWay = { ...nothingPending, count: 1, claimed: 1 }
    expect(status(aService({ pending: underWay }))).toMatch(/under way has gone wrong/)
  })

  it('says until when a backend is left alone, and why', () => {
    const circuit = { openUntil: '2026-03-01T12:00:42.000Z', reason: 'The last 5 calls failed.' }
    const text = status(aService({ circuit, pending: { ...nothingPending, count: 3, due: 3, dueSince: NOW } }))
    expect(text).toMatch(/^oc .* stopped +3 +3/m)
    expect(text).toMatch(/until 2026-03-01 12:00:42 UTC \(in 42 s\).*\n +The last 5 calls failed\.\n +3 items/)
  })

  it('says what was refused, since when, and what to do', () => {
    const refusals = [
      {
        kind: 'number',
        goal: 'present',
        code: 'NoPlan',
        count: 2,
        since: '2026-03-01T09:00:00.000Z',
        latest: { item, at: NOW, message: 'There is no plan.' },
      },
      {
        kind: 'account',
        goal: 'present',
        code: 'Bad',
        count: 1,
        since: NOW,
        latest: { item: { kind: 'account', key: 'some-id', account: 'contoso' }, at: NOW, message: 'No.' },
      },
    ] as const
    const text = status(aService({ failed: { count: 10, refusals: [...refusals] } }))
    expect(text).toContain('has refused 10 items')
    expect(text).toContain('2 numbers, since 2026-03-01 09:00:00 UTC (3 h ago): NoPlan: There is no plan.')
    expect(text).toContain(`e.g. number ${e164} of account contoso; see: linebook number ${e164}`)
    expect(text).toContain('e.g. account contoso\n')
    expect(text).toContain('7 more, for other reasons')
    expect(text).toContain('linebook requeue --service oc')
    expect(text).not.toMatch(/deletion/)
    const kept = refusals.map((refusal) => ({ ...refusal, goal: 'absent' as const }))
    expect(status(aService({ failed: { count: 3, refusals: kept } }))).toMatch(/another deletion removes it/)
  })

  it('says what went wrong with what is tried again by itself, and when that is', () => {
    const pending = { ...nothingPending, count: 5, waiting: 4, claimed: 1, nextAttemptAt: '2026-03-01T12:00:30.000Z' }
    const lastError = { item, at: '2026-03-01T11:55:00.000Z', code: null, message: 'Busy.' }
    const text = status(aService({ pending, lastError }))
    expect(text).toContain('Newest error, 2026-03-01 11:55:00 UTC (5 min ago): Busy.')
    expect(text).toContain('next in 30 s')
    expect(text).toContain('linebook requeue --waiting --service oc')
  })

  it('says when nobody takes up what is due', () => {
    const due = (dueSince: string, claimed = 0) =>
      status(aService({ pending: { ...nothingPending, count: 1, due: 1, claimed, dueSince } }))
    expect(due('2026-03-01T11:50:00.000Z')).toMatch(/nobody takes up[^]*is running/)
    expect(due('2026-03-01T11:50:00.000Z', 1)).not.toMatch(/nobody/)
    expect(due('2026-03-01T11:59:30.000Z')).not.toMatch(/nobody/)
  })

  it('says what is left over of a service without a backend, and whose calls it cannot know', () => {
    expect(status(aService({ backend: 'none' }))).toMatch(/nothing was refused/)
    const left = { count: 1, refusals: [] }
    expect(status(aService({ backend: 'none', failed: left }))).toMatch(/no backend, but 1 item left over/)
    expect(status(aService({ circuit: 'unknown' }))).toMatch(/only a running server knows/)
  })
})

const aStanding = (over: Partial<ServiceStandingJson> = {}): ServiceStandingJson => ({
  service: 'oc',
  goal: 'present',
  status: 'synced',
  generation: 7,
  confirmedGeneration: 7,
  attempts: 0,
  pendingSince: null,
  lastAttemptAt: NOW,
  lastError: null,
  ticket: null,
  placed: { tenantId: 'contosoTenantId', stage: 'uploaded' },
  next: { at: '2026-03-02T12:00:00.000Z', why: 'compared with the backend again' },
  heldBack: null,
  ...over,
})
const aTimeline = (over: Partial<TimelineJson> = {}): TimelineJson => ({
  at: NOW,
  e164,
  ledger: {
    state: 'assigned',
    freeAt: null,
    leftAccount: false,
    resource: null,
    account: 'contoso',
    place: {
      countryCode: 'US',
      numberType: 'geographic',
      areaCode: '206',
      locality: 'Seattle',
      administrativeDivision: 'WA',
    },
  },
  onAccount: { account: 'contoso', services: ['teamsOperatorConnect'], modifiedAt: NOW, leavingSince: null },
  sync: [aStanding()],
  entries: [],
  cut: false,
  ...over,
})
const text = (over: Partial<TimelineJson> = {}): string => timelineText(aTimeline(over), 'the database')
const nextOf = (over: Partial<ServiceStandingJson>, timeline: Partial<TimelineJson> = {}) =>
  /^ {2}Next: (.*)$/m.exec(text({ ...timeline, sync: [aStanding(over)] }))?.[1]

const attempt = (at: string, over: Partial<TimelineEntryJson & { kind: 'attempt' }> = {}): TimelineEntryJson => ({
  kind: 'attempt',
  at,
  service: 'oc',
  step: 'upload',
  generation: 7,
  outcome: 'later',
  code: null,
  message: 'Busy.',
  ...over,
})

describe('the story of a number', () => {
  it('begins with where it stands and what comes next', () => {
    expect(text().split('\n').slice(0, 9)).toEqual([
      '+12065550100 at 2026-03-01 12:00:00 UTC, says the database',
      '',
      'Ledger   assigned to account contoso',
      'Stock    US geographic 206 (Seattle, WA)',
      'Account  contoso, with teamsOperatorConnect; last put 2026-03-01 12:00:00 UTC (now)',
      '',
      'Operator Connect (oc): synced, to be there',
      '  Wanted generation 7, confirmed 7',
      '  The backend may have it under tenant contosoTenantId (uploaded)',
    ])
    expect(nextOf({})).toBe('2026-03-02 12:00:00 UTC (in 24 h): compared with the backend again')
  })

  it('says what will happen, or what to do where nothing will by itself', () => {
    const failed = { status: 'failed', next: null, lastError: { code: 'Bad', message: 'No.' } } as const
    expect(nextOf({ next: { at: NOW, why: 'first try' }, status: 'pending' })).toBe(
      'now, due since 2026-03-01 12:00:00 UTC: first try',
    )
    expect(nextOf(failed)).toMatch(/put it again, or: linebook requeue \+12065550100$/)
    expect(nextOf({ ...failed, goal: 'absent' })).toMatch(/on its account again: delete it again/)
    expect(nextOf({ ...failed, goal: 'absent' }, { onAccount: null })).toMatch(/try again with: linebook requeue/)
    expect(nextOf({ heldBack: { reason: 'No answer.', until: '2026-03-01T12:00:42.000Z' } })).toBe(
      'held back, until 2026-03-01 12:00:42 UTC (in 42 s): No answer.',
    )
    expect(nextOf({ next: null })).toMatch(/^nothing;/)
  })

  it('tells each entry in a row, and attempts that went the same way in two', () => {
    const entries: TimelineEntryJson[] = [
      {
        kind: 'history',
        at: '2026-03-01T11:00:00.000Z',
        event: 'assign',
        fromState: 'available',
        toState: 'assigned',
        actor: 'client:crm',
        reason: 'put number',
      },
      attempt('2026-03-01T11:00:00.100Z'),
      attempt('2026-03-01T11:00:01.100Z'),
      attempt('2026-03-01T11:00:03.100Z'),
      attempt('2026-03-01T11:00:07.100Z', { outcome: 'done', message: null }),
      {
        kind: 'history',
        at: '2026-03-01T11:30:00.000Z',
        event: 'unassign',
        fromState: 'assigned',
        toState: null,
        actor: 'system',
        reason: 'released by oc',
      },
    ]
    expect(text({ entries }).split('\n').slice(-6)).toEqual([
      'TIME (UTC)               WHO         WHAT      OUTCOME               WHY',
      '2026-03-01 11:00:00.000  client:crm  assign    available → assigned  put number',
      '2026-03-01 11:00:00.100  to oc       upload    not yet               Busy. (generation 7)',
      '2026-03-01 11:00:03.100  to oc       upload    not yet               the same 2 more times; the last',
      '2026-03-01 11:00:07.100  to oc       upload    done                  generation 7',
      '2026-03-01 11:30:00.000  system      unassign  assigned → gone       released by oc',
    ])
  })

  it('is told of a number that is gone, on its way out, or resting', () => {
    expect(text({ ledger: null, onAccount: null, sync: [], cut: true })).toMatch(/not in it, or no longer[^]*left out/)
    const onAccount = { account: 'contoso', services: [], modifiedAt: NOW, leavingSince: NOW }
    expect(text({ onAccount })).toMatch(/being taken off contoso since/)
    const resting = {
      state: 'quarantined',
      freeAt: '2026-03-02T12:00:00.000Z',
      leftAccount: true,
      account: null,
    } as const
    expect(text({ ledger: { ...(aTimeline().ledger as NonNullable<TimelineJson['ledger']>), ...resting } })).toMatch(
      /resting until .* may be put on an account, but not bought/,
    )
  })

  it('does nothing to a terminal, whatever a backend wrote', () => {
    const entries = [attempt(NOW, { message: 'a\u001b[2Jb\r\nc\u202ed\u0007' })]
    const lastError = { code: 'E\u001b', message: '\u009b31m\n' }
    const written = text({ entries, sync: [aStanding({ status: 'failed', lastError })] })
    expect(written.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('what was requeued', () => {
  it('is told by service, with the numbers that there was nothing to do about', () => {
    const untouched = [
      { e164: '+12065550101', services: [{ service: 'oc' as const, status: 'synced' as const }] },
      { e164: '+12065550102', services: [] },
    ]
    expect(requeuedText({ services: [{ service: 'oc', failed: 1, waiting: 2 }], untouched })).toBe(
      [
        'Operator Connect (oc): 1 refused item due again, 2 waiting items due at once.',
        '+12065550101: nothing to try again (oc synced).',
        '+12065550102: nothing to try again (no backend serves it).',
        'See how it goes with: linebook status',
      ].join('\n'),
    )
    expect(requeuedText({ services: [], untouched: [] })).toBe('Nothing to try again.')
  })
})

describe('words', () => {
  it.each([
    [0, '0 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_199_000, '119 min'],
    [7_200_000, '2 h'],
    [12_345_000, '3 h 25 min'],
    [172_800_000, '2 days'],
  ])('%d ms are %s', (ms, words) => {
    expect(duration(ms)).toBe(words)
  })
  it('tell times from now on and before', () => {
    expect(relative('2026-03-01T12:00:42.000Z', NOW)).toBe('in 42 s')
    expect(relative('2026-03-01T11:00:00.000Z', NOW)).toBe('60 min ago')
    expect(relative('2026-03-01T12:00:00.999Z', NOW)).toBe('now')
  })
  it('cut what is very long', () => {
    expect(printable('x'.repeat(1_000))).toBe(`${'x'.repeat(500)} …`)
  })
})
