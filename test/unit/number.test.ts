import { describe, expect, it } from 'vitest'
import {
  covers,
  effectiveState,
  isE164,
  nextState,
  numberStates,
  transitions,
  type NumberEvent,
} from '../../src/ledger/number.js'

describe('an E.164 number', () => {
  it.each(['+12065550100', '+123451', '+49', '+999123456789012'])('is %s', (text) => {
    expect(isE164(text)).toBe(true)
  })
  it.each(['12065550100', '+0123', '+1', '+1234567890123456', '+1206 555', '', '+١٢٣', '+12065550100\n'])(
    'is not "%s"',
    (text) => {
      expect(isE164(text)).toBe(false)
    },
  )
})

describe('capabilities', () => {
  it('cover what they hold, in each direction', () => {
    const offered = { calling: 'inbound+outbound', sms: 'inbound' } as const
    expect(covers(offered, { calling: 'inbound', sms: 'none' })).toBe(true)
    expect(covers(offered, { calling: 'inbound+outbound', sms: 'inbound' })).toBe(true)
    expect(covers(offered, { calling: 'none', sms: 'outbound' })).toBe(false)
    expect(covers(offered, { calling: 'none', sms: 'inbound+outbound' })).toBe(false)
  })
})

describe('the state that counts', () => {
  const now = new Date()
  it('is available from the instant of freeing on', () => {
    expect(effectiveState('held', now, now)).toBe('available')
    expect(effectiveState('quarantined', new Date(now.getTime() + 1), now)).toBe('quarantined')
  })
  it('stays when nothing frees the number by itself', () => {
    expect(effectiveState('owned', null, now)).toBe('owned')
    expect(effectiveState('held', Infinity, now)).toBe('held')
  })
})

describe('the life of a number', () => {
  const leadingTo = (state: string): string[] =>
    Object.entries(transitions).flatMap(([from, events]) =>
      Object.entries(events).flatMap(([event, to]) => (to === state ? [`${from} ${event}`] : [])),
    )

  it('can reach every state, and leave each of them', () => {
    for (const state of numberStates) {
      expect(leadingTo(state), state).not.toEqual([])
      expect(
        Object.values(transitions[state]).filter((to) => to !== state),
        state,
      ).not.toEqual([])
    }
  })

  it('leads to a buyer only by a hold, and into a hold only from stock', () => {
    expect(leadingTo('held')).toEqual(['available hold'])
    expect(leadingTo('owned')).toEqual(['held purchase', 'owned configure'])
  })

  it('lets what is on an account be changed, withdrawn, moved and taken off, and nothing else', () => {
    const events = Object.keys(transitions.assigned) as NumberEvent[]
    expect(events.sort()).toEqual(['assign', 'configure', 'unassign', 'withdraw'])
    expect(nextState('assigned', 'withdraw')).toBe('assigned')
  })

  it('puts free or resting numbers on accounts', () => {
    expect(leadingTo('assigned').filter((step) => step.endsWith(' assign'))).toEqual([
      'absent assign',
      'available assign',
      'assigned assign',
      'quarantined assign',
    ])
  })
})
