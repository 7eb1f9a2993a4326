import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { EMULATOR_SEALING_KEY, Sealer } from '../../src/auth/seal.js'
import { ManualClock } from '../../src/clock.js'
import type { Db } from '../../src/db/db.js'
import { openPostgres } from '../../src/db/postgres.js'
import { ensureEmulatorClients } from '../../src/issuer/clients.js'
import { rotateSigningKey } from '../../src/issuer/signing-keys.js'
import { createLogger } from '../../src/log.js'
import { aRequest, createTestIssuer, type TestIssuer } from '../behaviour/issuer/an-issuer.js'
import { openTestPostgres } from '../fixtures/database.js'
import { BY_TEST } from '../fixtures/service.js'

const clock = new ManualClock(new Date('2026-03-01T12:00:00.000Z'))
const sealer = new Sealer([EMULATOR_SEALING_KEY])
let first: Db & { url: string }
let second: Db
let issuers: TestIssuer[]
beforeAll(async () => {
  first = await openTestPostgres()
  second = await openPostgres({ connectionString: first.url, poolSize: 10, logger: createLogger('warn') })
  await ensureEmulatorClients({ db: first, clock })
  issuers = await Promise.all([first, first, second, second].map((db) => createTestIssuer(db, { clock, sealer })))
})
afterAll(async () => {
  for (const { server } of issuers) await server.close()
  await second.close()
  await first.close()
})

const tokenFrom = async ({ ask }: TestIssuer): Promise<string> => {
  const answer = await ask(aRequest())
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<{ access_token: string }>().access_token
}

/** The keys that tokens of all processes, asked for at once, are signed with; each is accepted by each process. */
async function keysInUse(): Promise<Set<unknown>> {
  const tokens = await Promise.all(issuers.flatMap((issuer) => [tokenFrom(issuer), tokenFrom(issuer)]))
  for (const token of tokens) for (const { verifier } of issuers) await verifier.verify(`Bearer ${token}`)
  return new Set(tokens.map((token) => decodeProtectedHeader(token).kid))
}

it('processes that make the first key, or a new one, at once end with one that all of them accept', async () => {
  expect((await keysInUse()).size).toBe(1)
  await Promise.all([first, second, first, second].map((db) => rotateSigningKey({ db, sealer, clock }, {}, BY_TEST)))
  expect((await keysInUse()).size).toBe(1)
})
