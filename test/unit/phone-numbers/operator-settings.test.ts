import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config/config.js'

describe('the operator that lookups give for own numbers', () => {
  it('is called Linebook in an emulator, and has no codes', () => {
    expect(readConfig({})).toMatchObject({
      operatorName: 'Linebook',
      operatorMcc: undefined,
      operatorMnc: undefined,
    })
  })

  it('has no name in production until one is given', () => {
    const production = {
      LINEBOOK_MODE: 'production',
      DATABASE_URL: 'postgres://db/linebook',
      LINEBOOK_SECRET_KEY: Buffer.alloc(32).toString('base64'),
    }
    expect(readConfig(production).operatorName).toBeUndefined()
    expect(readConfig({ ...production, LINEBOOK_OPERATOR_NAME: ' Contoso ' }).operatorName).toBe('Contoso')
  })

  it('has codes of as many digits as there are in such codes', () => {
    const codes = { LINEBOOK_OPERATOR_MCC: '234', LINEBOOK_OPERATOR_MNC: '015' }
    expect(readConfig(codes)).toMatchObject({ operatorMcc: '234', operatorMnc: '015' })
    expect(() => readConfig({ LINEBOOK_OPERATOR_MCC: '23' })).toThrow('it takes 3 digits, e.g. 234')
    expect(() => readConfig({ ...codes, LINEBOOK_OPERATOR_MNC: '1x' })).toThrow('it takes 2 or 3 digits, e.g. 15')
  })

  it('has no code of a network without one of a country', () => {
    expect(() => readConfig({ LINEBOOK_OPERATOR_MNC: '15' })).toThrow('LINEBOOK_OPERATOR_MCC: a network code')
  })

  it('has a name that can be shown', () => {
    expect(() => readConfig({ LINEBOOK_OPERATOR_NAME: 'x'.repeat(201) })).toThrow('at most 200 characters')
  })
})
