import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.js'
import { parseOrigins } from '../../src/phone-numbers/cors.js'

describe('the setting of origins', () => {
  it('is empty by default', () => {
    expect(readConfig({}).corsOrigins).toEqual([])
  })

  it('is a list, kept as browsers write origins', () => {
    expect(parseOrigins(' https://Portal.Example:443, http://localhost:3000 ,')).toEqual([
      'https://portal.example',
      'http://localhost:3000',
    ])
  })

  it('is everybody when that is asked for', () => {
    expect(parseOrigins(' * ')).toEqual(['*'])
  })

  it.each([
    'portal.example',
    'https://portal.example/',
    'https://portal.example/app',
    'https://*.portal.example',
    'https://user@portal.example',
    'ftp://portal.example',
    'null',
    '*,https://portal.example',
    'https://',
  ])('is not %s, and the refusal tells what it is', (text) => {
    expect(() => readConfig({ LINEBOOK_CORS_ORIGINS: text })).toThrow('origins separated by commas')
  })
})
