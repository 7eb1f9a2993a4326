import { describe, expect, it } from 'vitest'
import { checkListeners, readConfig } from '../../src/config/config.js'
import { settings } from '../../src/config/settings.js'

const secret = Buffer.alloc(32, 7).toString('base64')
const production = { LINEBOOK_MODE: 'production', DATABASE_URL: 'postgres://db/linebook', LINEBOOK_SECRET_KEY: secret }

describe('settings', () => {
  it('make an emulator on this machine when nothing is set', () => {
    expect(readConfig({})).toMatchObject({
      mode: 'emulator',
      host: '127.0.0.1',
      httpPort: 8080,
      httpsPort: 8443,
      seedStock: true,
      tolerantApiVersions: true,
      quarantineMs: 0,
      searchHoldMs: 15 * 60_000,
    })
  })

  it('make nothing well known or seeded in production', () => {
    expect(readConfig(production)).toMatchObject({
      seedStock: false,
      tolerantApiVersions: false,
      quarantineMs: 30 * 24 * 60 * 60_000,
    })
  })

  it('are taken from flags before the environment', () => {
    expect(readConfig({ LINEBOOK_HTTP_PORT: '1' }, { httpPort: '2' }).httpPort).toBe(2)
  })

  it('switch a listener off when its port is empty', () => {
    expect(readConfig({ LINEBOOK_HTTPS_PORT: '' }).httpsPort).toBeUndefined()
  })

  it.each([
    [
      { LINEBOOK_MODE: 'prod' },
      'LINEBOOK_MODE (--mode): "prod" is not a usable value; it takes one of emulator, production.',
    ],
    [{ LINEBOOK_HTTP_PORT: '65536' }, 'LINEBOOK_HTTP_PORT'],
    [{ LINEBOOK_HTTP_PORT: 'abc' }, 'a whole number from 0 to 65535'],
    [{ LINEBOOK_IN_MEMORY: 'maybe' }, 'on or off'],
    [{ LINEBOOK_HOST: 'example.com:80' }, 'LINEBOOK_HOST'],
    [{ LINEBOOK_QUARANTINE_DAYS: '-1' }, 'LINEBOOK_QUARANTINE_DAYS'],
    [{ LINEBOOK_SECRET_KEY: 'short' }, 'openssl rand -base64 32'],
    [{ DATABASE_URL: 'mysql://db' }, 'DATABASE_URL'],
    [{ LINEBOOK_PROT: '1' }, 'LINEBOOK_PROT: no such setting'],
    [{ LINEBOOK_TLS_CERT_FILE: 'cert.pem' }, 'LINEBOOK_TLS_KEY_FILE'],
    [{ LINEBOOK_IN_MEMORY: 'on', DATABASE_URL: 'postgres://db/linebook' }, 'LINEBOOK_IN_MEMORY'],
    [{ LINEBOOK_SEARCH_HOLD_MINUTES: '0.01', LINEBOOK_PURCHASE_DELAY_MS: '600' }, 'LINEBOOK_SEARCH_HOLD_MINUTES'],
    [{ LINEBOOK_MODE: 'production', LINEBOOK_SECRET_KEY: secret }, 'DATABASE_URL'],
    [{ LINEBOOK_MODE: 'production', DATABASE_URL: 'postgres://db/linebook' }, 'LINEBOOK_SECRET_KEY'],
    [{ ...production, LINEBOOK_SEED_STOCK: 'on' }, 'LINEBOOK_SEED_STOCK'],
  ])('%o are refused with a message that names the setting and a good value', (env, text) => {
    expect(() => readConfig(env)).toThrow(text)
  })

  it('never show a secret in a message', () => {
    expect(() => readConfig({ LINEBOOK_SECRET_KEY: 'hunter2' })).toThrow(/^(?!.*hunter2)/)
    expect(() => readConfig({ DATABASE_URL: 'mysql://root:hunter2@db' })).toThrow(/^(?!.*hunter2)/)
  })

  it('that only a server needs are asked for by a server', () => {
    expect(() => checkListeners(readConfig(production))).toThrow('LINEBOOK_TLS_CERT_FILE')
    expect(() => checkListeners(readConfig({ ...production, LINEBOOK_HTTPS_PORT: '' }))).not.toThrow()
    expect(() => checkListeners(readConfig({ LINEBOOK_HTTP_PORT: '', LINEBOOK_HTTPS_PORT: '' }))).toThrow(
      'nothing to listen on',
    )
  })

  it('each have a name of their own', () => {
    for (const key of ['name', 'env', 'flag'] as const) {
      expect(new Set(settings.map((setting) => setting[key])).size).toBe(settings.length)
    }
  })
})
