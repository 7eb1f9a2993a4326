/** The program as a process: how it ends, and what it says when it cannot start. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runLinebook, startLinebook, type CommandResult, type Linebook } from '../fixtures/linebook-process.js'

/** Ended with 1 after one line that names `setting`. */
function expectRefusal({ code, stdout, stderr }: CommandResult, setting: string): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^linebook: [^\n]+\n$/)
  expect(stderr).toContain(setting)
}

describe.concurrent('a running server', () => {
  it('ends with 0 on SIGTERM', async () => {
    const linebook = await startLinebook({ flags: ['--in-memory'] })
    expect(await linebook.stop('SIGTERM')).toBe(0)
    expect(linebook.output()).toMatch(/Stopped\.\n$/)
  })

  it('listens only where it is told to, and ends with 0 on SIGINT', async () => {
    const linebook = await startLinebook({ flags: ['--in-memory', '--https-port', ''] })
    expect(linebook).toMatchObject({ httpsUrl: '', certFile: '' })
    expect((await fetch(`${linebook.httpUrl}/healthz`)).status).toBe(200)
    expect(await linebook.stop('SIGINT')).toBe(0)
  })
})

describe.concurrent('serve refuses', () => {
  let running: Linebook
  let dataDir: string
  beforeAll(async () => {
    running = await startLinebook()
    dataDir = /embedded database in (.+)$/m.exec(running.output())?.[1] as string
  })
  afterAll(() => running?.stop())

  const serve = (flags: string[]) => runLinebook(['serve', '--http-port', '0', '--https-port', '0', ...flags])

  it('a port that is in use', async () => {
    const port = new URL(running.httpUrl).port
    expectRefusal(await serve(['--in-memory', '--http-port', port]), 'LINEBOOK_HTTP_PORT')
  })

  it('a data folder that a running one uses, and leaves that one alone', async () => {
    expectRefusal(await serve(['--data-dir', dataDir]), 'LINEBOOK_DATA_DIR')
    expectRefusal(await runLinebook(['migrate', '--data-dir', dataDir]), 'LINEBOOK_DATA_DIR')
    // What it serves is asked of it.
    expect(await runLinebook(['resource', 'list', '--data-dir', dataDir])).toMatchObject({ code: 0, stderr: '' })
    expect((await fetch(`${running.httpUrl}/readyz`)).status).toBe(200)
  })
})

it('serve --help names the variable and the default of every setting', async () => {
  const { stdout } = await runLinebook(['serve', '--help'])
  const text = stdout.replace(/\s+/g, ' ')
  expect(text).toContain('--http-port <PORT> port for plain HTTP; 0 for any free one, empty for none')
  expect(text).toMatch(/LINEBOOK_HTTP_PORT; default 8080/)
  expect(text).toContain('DATABASE_URL')
})

it('--version tells the version', async () => {
  expect(await runLinebook(['--version'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  })
})

it('an unknown command ends with 1 and says so', async () => {
  const { code, stderr } = await runLinebook(['sreve'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/sreve/)
})
