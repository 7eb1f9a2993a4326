/** `linebook serve` refuses what it can't start with, before it listens: one line that names the setting. */
import { expect, it } from 'vitest'
import { runInThisProcess } from '../../fixtures/command-line.js'

const NOBODY_LISTENS = 'postgres://linebook:hunter2@127.0.0.1:1/linebook'
const SECRET_KEY = Buffer.alloc(32, 7).toString('base64')

const serve = (flags: string[], env: Record<string, string> = {}) =>
  runInThisProcess(['serve', '--http-port', '0', '--https-port', '0', ...flags], { env })

/** Ended with 1 after one line that names `setting`. */
function expectRefusal({ code, stdout, stderr }: Awaited<ReturnType<typeof serve>>, setting: string): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^linebook: [^\n]+\n$/)
  expect(stderr).toContain(setting)
}

it.each([
  { LINEBOOK_SECRET_KEY: 'too short' },
  { LINEBOOK_TLS_CERT_FILE: '/nowhere/cert.pem', LINEBOOK_TLS_KEY_FILE: '/nowhere/key.pem' },
  { DATABASE_URL: 'mysql://db/linebook' },
])('%o', async (env) => {
  expectRefusal(await serve([], env), Object.keys(env)[0] as string)
})

it('a bad flag, under the name of its setting', async () => {
  expectRefusal(await serve(['--http-port', 'eighty']), 'LINEBOOK_HTTP_PORT')
})

it('a setting that there is not', async () => {
  expectRefusal(await serve(['--in-memory'], { LINEBOOK_HTPP_PORT: '8080' }), 'LINEBOOK_HTPP_PORT')
})

it('two settings that contradict each other', async () => {
  expectRefusal(await serve(['--in-memory'], { DATABASE_URL: NOBODY_LISTENS }), 'LINEBOOK_IN_MEMORY')
})

it('a database that it cannot reach, without telling its password', async () => {
  const refused = await serve([], { DATABASE_URL: NOBODY_LISTENS })
  expectRefusal(refused, 'DATABASE_URL')
  expect(refused.stderr).not.toContain('hunter2')
})

it('production mode without what it needs, by the name of what is missing', async () => {
  const complete = {
    LINEBOOK_MODE: 'production',
    DATABASE_URL: NOBODY_LISTENS,
    LINEBOOK_SECRET_KEY: SECRET_KEY,
  }
  const without = (name: keyof typeof complete) => {
    const { [name]: _, ...rest } = complete
    return rest
  }
  expectRefusal(await serve([], without('DATABASE_URL')), 'DATABASE_URL')
  expectRefusal(await serve([], without('LINEBOOK_SECRET_KEY')), 'LINEBOOK_SECRET_KEY')
  expectRefusal(await serve([], complete), 'LINEBOOK_TLS_CERT_FILE')
  // With everything given it gets as far as the database.
  expectRefusal(await serve(['--https-port', ''], complete), 'DATABASE_URL')
})
