/** `kill -9` while numbers are put and synced: what was acknowledged gets to the backend, and has its effect there once. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnBackendServer } from '../fixtures/backend-server.js'
import { startLinebook, type Linebook, type LinebookOptions } from '../fixtures/linebook-process.js'

const WRITERS = 4
/** The server is killed on the answer to this many numbers. */
const ACKNOWLEDGED = 60
const SCOPE = 'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net/.default'
/** Claims of the dead process run out after four times this. */
const TIMEOUT_MS = 500

let folder: string
let backend: Awaited<ReturnType<typeof spawnBackendServer>>
let options: LinebookOptions
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-sync-crash-'))
  backend = await spawnBackendServer(['--service', 'oc', '--header', 'X-Api-Key: secret', '--state', stateFile()])
  const choice = {
    url: backend.url,
    timeoutMs: TIMEOUT_MS,
    auth: { header: 'X-Api-Key', value: { env: 'OC_BACKEND_KEY' } },
  }
  const dataDir = join(folder, 'data')
  await mkdir(dataDir)
  options = {
    dataDir,
    env: { LINEBOOK_BACKENDS: JSON.stringify({ teamsOperatorConnect: choice }), OC_BACKEND_KEY: 'secret' },
  }
})
afterAll(async () => {
  await backend?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('after a crash', () => {
  it('every acknowledged number is synced, and each reached the backend with one effect', async () => {
    const first = await startLinebook(options)
    const { asked, acknowledged } = await putUntilKilled(first, await clientOf(first))
    expect(acknowledged.length).toBeGreaterThanOrEqual(ACKNOWLEDGED)

    const second = await startLinebook(options)
    try {
      const client = await clientOf(second)
      await expect.poll(async () => (await client.numbers()).filter(({ status }) => status === 'pending')).toEqual([])
      const numbers = await client.numbers()
      expect(new Set(numbers.map(({ status }) => status))).toEqual(new Set(['synced']))
      const stored = numbers.map(({ e164 }) => e164)
      expect(stored).toEqual(expect.arrayContaining(acknowledged))
      expect(asked).toEqual(expect.arrayContaining(stored))
      const told = await toldToBackend()
      expect([...told.keys()].sort()).toEqual(stored)
      for (const [e164, { tenantId, commands }] of told) {
        expect({ tenantId, commands }, e164).toEqual({ tenantId: 'contosoTenantId', commands: 1 })
      }
    } finally {
      await second.stop()
    }
  })
})

describe('with a prompt backend', () => {
  it('a number is synced within a moment of its PUT, without anybody pushing', async () => {
    const linebook = await startLinebook(options)
    try {
      const client = await clientOf(linebook)
      const tookMs: number[] = []
      for (let index = 0; index < 6; index++) {
        const e164 = `+1206557${String(index).padStart(4, '0')}`
        const start = performance.now()
        await client.put(e164)
        while ((await client.status(e164)) === 'pending');
        tookMs.push(Math.round(performance.now() - start))
      }
      // Some 40 ms each on two processors. A worker that is not pushed looks every five seconds, so each number but the
      // first, which may meet it by chance, takes that long.
      expect(Math.min(...tookMs.slice(1)), `took ${tookMs.join(', ')} ms`).toBeLessThan(2_500)
    } finally {
      await linebook.stop()
    }
  })
})

const stateFile = (): string => join(folder, 'backend.jsonl')

interface Client {
  put(e164: string): Promise<void>
  status(e164: string): Promise<string>
  numbers(): Promise<{ e164: string; status: string }[]>
}

interface WireNumber {
  telephoneNumber: string
  serviceProvisioningStatus: string
}

/** A client with the account of its numbers. */
async function clientOf({ httpUrl }: Linebook): Promise<Client> {
  const form = {
    grant_type: 'client_credentials',
    client_id: 'linebook-admin',
    client_secret: 'linebook-standin',
    scope: SCOPE,
  }
  const granted = await fetch(`${httpUrl}/linebook/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const { access_token: token } = (await granted.json()) as { access_token: string }
  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${httpUrl}${path}${path.includes('?') ? '&' : '?'}api-version=2024-02-29`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const found: unknown = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(found)}`)
    return found
  }
  await send('PUT', '/accounts/contoso', {
    serviceDetails: { teamsTenantId: 'contosoTenantId', teamsOperatorConnect: { enabled: true, syncEnabled: true } },
  })
  const configuration = { usage: 'CallingUserAssignment', choosableCapabilities: [], allowTenantAddressUpdate: true }
  return {
    put: async (e164) => {
      await send('PUT', `/accounts/contoso/numbers/${e164}`, {
        serviceDetails: { teamsOperatorConnect: { enabled: true, configuration } },
      })
    },
    status: async (e164) =>
      ((await send('GET', `/accounts/contoso/numbers/${e164}`)) as WireNumber).serviceProvisioningStatus,
    numbers: async () => {
      const { value } = (await send('GET', '/accounts/contoso/numbers?maxpagesize=500')) as { value: WireNumber[] }
      return value.map(({ telephoneNumber, serviceProvisioningStatus: status }) => ({ e164: telephoneNumber, status }))
    },
  }
}

/** Writers that put one number after the other, until the server under them is killed. */
async function putUntilKilled(
  linebook: Linebook,
  client: Client,
): Promise<{ asked: string[]; acknowledged: string[] }> {
  const asked: string[] = []
  const acknowledged: string[] = []
  let killed: Promise<void> | undefined
  const write = async () => {
    while (killed === undefined) {
      const e164 = `+1206556${String(asked.length).padStart(4, '0')}`
      asked.push(e164)
      await client.put(e164)
      acknowledged.push(e164)
      if (acknowledged.length >= ACKNOWLEDGED) killed ??= linebook.kill()
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: WRITERS }, write))
  await killed
  // Whoever was waiting for an answer lost the connection; anything else is a fault.
  for (const end of ended) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(TypeError)
  return { asked, acknowledged }
}

/** The numbers that the backend holds, from what it has on disk, and how many commands it has carried out about each. */
async function toldToBackend(): Promise<Map<string, { tenantId: string; commands: number }>> {
  const lines = (await readFile(stateFile(), 'utf8')).split('\n').filter((line) => line !== '')
  const told = new Map<string, { tenantId: string; commands: number }>()
  for (const line of lines) {
    const { id, thing } = JSON.parse(line) as {
      id: string
      thing: { number?: { tenantId: string }; answers: object[] }
    }
    const e164 = /^number\/(.+)$/.exec(id)?.[1]
    if (e164 === undefined) continue
    if (thing.number) told.set(e164, { tenantId: thing.number.tenantId, commands: thing.answers.length })
    else told.delete(e164)
  }
  return told
}
