/** The example in examples/backend-server, as people run it. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHttpBackend } from '../../../src/backends/http/http.js'
import { systemClock } from '../../../src/clock.js'
import { aNumber, aNumberCommand, anUpload, CALLING } from '../../fixtures/backend-contract.js'
import { spawnBackendServer, startBackendServer } from '../../fixtures/backend-server.js'

const backendAt = (url: string) => createHttpBackend({ service: 'oc', url, clock: systemClock })

describe('the example with a state file', () => {
  let folder: string
  let state: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'linebook-example-'))
    state = join(folder, 'state.jsonl')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('loses nothing that it has answered when it is killed, and writes no half a line', async () => {
    const first = await spawnBackendServer(['--state', state])
    const backend = backendAt(first.url)
    const answered: string[] = []
    // Killed while calls are under way: what was answered by then is what counts.
    const uploads = Promise.allSettled(
      Array.from({ length: 200 }, async () => {
        const e164 = aNumber()
        await backend.uploadNumbers('t', [anUpload(e164)])
        answered.push(e164)
        if (answered.length === 50) await first.kill()
      }),
    )
    await uploads
    expect(answered.length).toBeGreaterThanOrEqual(50)
    await appendFile(state, '{"id":"number/+1', 'utf8')

    const second = await spawnBackendServer(['--state', state])
    const there = await backendAt(second.url).getNumbers('t', answered)
    await second.stop()
    expect(there.map(({ e164 }) => e164)).toEqual(answered)
  })

  it('remembers commands across a restart, and shortens its file', async () => {
    const [e164, old] = [aNumber(), aNumberCommand('+12065550100')]
    const first = await startBackendServer({ stateFile: state })
    const upload = anUpload(e164, 5)
    for (let sequence = 1; sequence < 10; sequence++) {
      await backendAt(first.url).uploadNumbers('t', [anUpload(e164, sequence)])
    }
    await first.close()
    const lines = async () => (await readFile(state, 'utf8')).split('\n').length - 1
    expect(await lines()).toBe(9)

    const second = await startBackendServer({ stateFile: state })
    const backend = backendAt(second.url)
    expect(await lines()).toBe(1)
    await backend.unassignNumbers('t', [{ ...old, ...upload, sequence: 3 }])
    expect(await backend.getNumbers('t', [e164])).toMatchObject([
      { assignmentStatus: 'assigned', configuration: CALLING },
    ])
    await second.close()
  })
})

describe('the example', () => {
  it('takes no call without its header', async () => {
    const server = await startBackendServer({ header: { name: 'X-Api-Key', value: 'secret' } })
    for (const headers of [{}, { 'X-Api-Key': 'Secret' }, { 'X-Api-Key': 'secrets' }]) {
      const answer = await fetch(`${server.url}/consents`, { headers })
      expect(answer.status).toBe(401)
    }
    await server.close()
  })

  it.each([
    { path: '/numbers', body: '{}', status: 404, says: /no operation/ },
    { path: '/numbers/upload', body: '{', status: 400, says: /not JSON/ },
    { path: '/numbers/upload', body: '{}', status: 400, says: /items is missing/ },
    { path: '/numbers/upload', body: '{"items":[{}]}', status: 400, says: /items\.0 lacks/ },
    { path: '/numbers/get', body: '{}', status: 400, says: /telephoneNumbers is missing/ },
    { path: '/numbers/get', body: 'null', status: 400, says: /telephoneNumbers is missing/ },
    { path: '/numbers/get', body: `"${' '.repeat(5_000_000)}"`, status: 413, says: /at most/ },
  ])('answers $status to what it can not read at $path', async ({ path, body, status, says }) => {
    const server = await startBackendServer({})
    const answer = await fetch(`${server.url}${path}`, { method: 'POST', body })
    expect(answer.status).toBe(status)
    const { error } = (await answer.json()) as { error: { message: string } }
    expect(error.message).toMatch(says)
    await server.close()
  })
})
