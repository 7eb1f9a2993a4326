/** One suite over the members of the port that need no database. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHttpBackend } from '../../../src/backends/http/http.js'
import { MemoryDocuments } from '../../../src/backends/simulated/memory-documents.js'
import { readSeed } from '../../../src/backends/simulated/seed.js'
import { createSimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { ManualClock } from '../../../src/clock.js'
import { describeBackendContract } from '../../fixtures/backend-contract.js'
import { spawnBackendServer, startBackendServer } from '../../fixtures/backend-server.js'

const SEED_FILE = fileURLToPath(new URL('../../../data/simulated-backends.json', import.meta.url))
const clock = new ManualClock()

describeBackendContract('the simulated backend in memory', async () => ({
  backend: createSimulatedBackend({ service: 'oc', documents: new MemoryDocuments(), clock, seed: readSeed() }),
  close: async () => {},
}))

describeBackendContract('the http backend before the example in this process', async () => {
  const world: unknown = JSON.parse(await readFile(SEED_FILE, 'utf8'))
  const server = await startBackendServer({ service: 'oc', world, header: { name: 'X-Api-Key', value: 'secret' } })
  const auth = { header: 'X-Api-Key', value: 'secret' }
  return { backend: createHttpBackend({ service: 'oc', url: server.url, clock, auth }), close: server.close }
})

describeBackendContract('the http backend before the example as a process with a state file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linebook-example-'))
  const server = await spawnBackendServer(['--world', SEED_FILE, '--state', join(folder, 'state.jsonl')])
  return {
    backend: createHttpBackend({ service: 'oc', url: server.url, clock }),
    close: async () => {
      await server.stop()
      await rm(folder, { recursive: true })
    },
  }
})
