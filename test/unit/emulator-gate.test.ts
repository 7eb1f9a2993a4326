import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addFaultHooks } from '../../src/emulator/inject/fault-hooks.js'
import { FaultBook } from '../../src/emulator/inject/faults.js'
import { Gate } from '../../src/emulator/state/gate.js'
import { createServer, type FastifyInstance } from '../../src/http/server.js'
import { createLogger } from '../../src/log.js'

/** Longer than any test: a gate that waits in vain is never opened. */
const FOR_EVER_MS = 3_600_000
let gate: Gate
let faults: FaultBook
let server: FastifyInstance
let url: string
beforeEach(async () => {
  gate = new Gate(FOR_EVER_MS)
  faults = new FaultBook([])
  server = createServer({ logger: createLogger('silent'), tls: undefined })
  addFaultHooks(server, { faults, isExempt: () => false, internalErrorCode: () => 'InternalError' })
  gate.guard(server, () => false)
  server.get('/', () => 'done')
  await server.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/`
})
afterEach(() => server.close())

it.each(['cut', 'lose-answer'] as const)('a request whose fault is %s keeps nothing waiting', async (effect) => {
  faults.apply([{ id: 'one', route: 'GET /', effect, probability: 1, seed: 0, met: 0, struck: 0 }])
  await expect(fetch(url)).rejects.toThrow()
  expect(await gate.alone(() => Promise.resolve('restored'))).toBe('restored')
})
