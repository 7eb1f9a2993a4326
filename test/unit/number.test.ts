import { describe, expect, it } from 'vitest'
import { covers, effectiveState, isE164 } from '../../src/ledger/number.js'

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
