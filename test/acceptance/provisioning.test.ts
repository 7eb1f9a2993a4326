/** The Provisioning API as an operator's program meets it, over HTTPS with a token of the official identity library. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runLinebook, startLinebook, type Linebook } from '../fixtures/linebook-process.js'

const PROGRAM = fileURLToPath(new URL('operator-program.mjs', import.meta.url))

interface Seen {
  status: number
  etag: string | null
  repeated: string | null
  body: Record<string, unknown> & { error?: { code: string } }
}

let folder: string
let linebook: Linebook
let seen: Record<string, Seen> & { walked: string[] }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-operator-'))
  linebook = await startLinebook({ dataDir: folder })
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, linebook.httpsUrl], {
    env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: linebook.certFile },
  })
  seen = JSON.parse(stdout) as typeof seen
})
afterAll(async () => {
  await linebook.stop()
  await rm(folder, { recursive: true, force: true })
})

const of = (name: string): Seen => seen[name] as Seen

describe("an operator's program, unchanged", () => {
  it('creates the account with one client, and is refused with another that may only read', () => {
    expect(of('created')).toMatchObject({
      status: 201,
      body: { name: 'contoso', serviceProvisioningStatus: 'pending' },
    })
    expect(of('readerMayNotWrite')).toMatchObject({ status: 403, body: { error: { code: 'InsufficientRole' } } })
  })

  it('puts a number once, though it sends the request twice', () => {
    expect(of('put')).toMatchObject({
      status: 201,
      repeated: 'accepted',
      body: { serviceProvisioningStatus: 'pending' },
    })
    expect(of('putAgain')).toEqual(of('put'))
  })

  it('sees the number become synced, and gets a 304 while nothing has changed since', () => {
    expect(of('synced').body).toMatchObject({
      telephoneNumber: '+14255550100',
      serviceProvisioningStatus: 'synced',
      serviceDetails: { teamsOperatorConnect: { assignmentStatus: 'assigned' } },
    })
    expect(of('notModified').status).toBe(304)
  })

  it("sees what the backend refused in the backend's words, and mends it", () => {
    expect(of('failed').body).toMatchObject({
      serviceProvisioningStatus: 'failed',
      serviceProvisioningErrors: [
        { code: 'InvalidRequest', message: 'Invalid/missing required configuration attributes: Usage', target: 'oc' },
      ],
    })
    expect(of('mended')).toMatchObject({ status: 200, body: { serviceProvisioningStatus: 'pending' } })
  })

  it('puts a batch and walks the pages to the end', () => {
    expect(of('batch').status).toBe(200)
    expect(seen.walked).toEqual(['+14255550100', '+14255550101', '+14255550102', '+14255550103', '+14255550104'])
  })

  it('reads what the backend alone knows', () => {
    expect(of('requests').body.value).toHaveLength(2)
    expect(of('plans')).toMatchObject({ status: 200 })
    expect(of('plans').body.capabilityPlans).not.toHaveLength(0)
  })

  it('removes a number, and can not remove an account that has some', () => {
    expect(of('removed').status).toBe(204)
    expect(of('gone')).toMatchObject({ status: 404, body: { error: { code: 'NumberNotFound' } } })
    expect(of('accountKept')).toMatchObject({ status: 409, body: { error: { code: 'AccountHasNumbers' } } })
  })
})

describe('the person who runs it, while it runs', () => {
  const ask = (...args: string[]) => runLinebook([...args, '--data-dir', folder])

  it('sees how each backend stands', async () => {
    const { code, stdout } = await ask('status', '--json')
    expect(code).toBe(0)
    const { services } = JSON.parse(stdout) as { services: { service: string; backend: string }[] }
    expect(services.map(({ service, backend }) => `${service} ${backend}`)).toEqual([
      'oc simulated',
      'tpm simulated',
      'dr none',
      'zoom none',
      'aocp none',
      'dns built-in',
    ])
  })

  it('reads the whole story of a number, refusal and mending included', async () => {
    const { code, stdout } = await ask('number', '+14255550101')
    expect(code).toBe(0)
    expect(stdout).toContain('Invalid/missing required configuration attributes: Usage')
    expect(stdout).toContain('client:linebook-admin')
  })

  it('is told when there is nothing to requeue', async () => {
    const { code, stdout } = await ask('requeue')
    expect(code).toBe(0)
    expect(stdout).not.toBe('')
  })
})
