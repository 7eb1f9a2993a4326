/** `kill -9` at a moment that nobody chose: what was promised holds, and nothing is left half done. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { aSearch, connect, owned, search } from '../acceptance/clients.js'
import { signedFetch } from '../acceptance/signed-fetch.js'
import { startLinebook, type Linebook, type LinebookOptions } from '../fixtures/linebook-process.js'
import { createPostgresDatabase } from '../fixtures/postgres-database.js'

const CLIENTS = 4
const NUMBERS_PER_SEARCH = 3
/** The server is killed on the answer to this many purchases. */
const ACKNOWLEDGED_PURCHASES = 40

interface Purchase {
  searchId: string
  phoneNumbers: string[]
}

interface Engine {
  name: string
  /** A new, empty database. */
  create(): Promise<LinebookOptions>
}

const cleanUps: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})

const engines: Engine[] = [
  {
    name: 'the embedded database',
    create: async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'linebook-crash-'))
      cleanUps.push(() => rm(dataDir, { recursive: true, force: true }))
      return { dataDir }
    },
  },
  {
    name: 'PostgreSQL',
    create: async () => {
      const { url, drop } = await createPostgresDatabase({ migrated: false })
      cleanUps.push(drop)
      return { env: { DATABASE_URL: url } }
    },
  },
]

describe.concurrent.each(engines)('after a crash on $name', ({ create }) => {
  it('every acknowledged purchase is owned, and every other one is owned as a whole or not at all', async () => {
    const options = await create()
    const first = await startLinebook(options)
    const { asked, acknowledged } = await purchaseUntilKilled(first)
    expect(acknowledged.length).toBeGreaterThanOrEqual(ACKNOWLEDGED_PURCHASES)

    const second = await startLinebook(options)
    try {
      const client = connect(second)
      const numbers = await owned(client)
      expect(new Set(numbers).size).toBe(numbers.length)
      expect(numbers).toEqual(expect.arrayContaining(acknowledged.flatMap(({ phoneNumbers }) => phoneNumbers)))
      for (const { phoneNumbers } of asked) {
        const kept = phoneNumbers.filter((number) => numbers.includes(number))
        expect([0, phoneNumbers.length]).toContain(kept.length)
      }
      // Owned by a purchase that was asked for, never by chance.
      expect(asked.flatMap(({ phoneNumbers }) => phoneNumbers)).toEqual(expect.arrayContaining(numbers))
      const read = await Promise.all(numbers.map((number) => client.getPurchasedPhoneNumber(number)))
      expect(read.map(({ phoneNumber }) => phoneNumber)).toEqual(numbers)
      const statuses = await Promise.all(acknowledged.map(({ searchId }) => statusOf(second, searchId)))
      expect(new Set(statuses)).toEqual(new Set(['succeeded']))

      // Those without an answer as well: their searches still hold the numbers.
      const answers = await Promise.all(asked.map(({ searchId }) => purchase(second, searchId)))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
      expect((await owned(client)).sort()).toEqual(asked.flatMap(({ phoneNumbers }) => phoneNumbers).sort())
      expect((await search(client)).phoneNumbers).toHaveLength(1)
    } finally {
      await second.stop()
    }
  })

  it('purchases that were promised and still ran are carried out', async ({ expect }) => {
    const options = { ...(await create()), flags: ['--purchase-delay-ms', '1500'] }
    const first = await startLinebook(options)
    const client = connect(first)
    const promised = await Promise.all(Array.from({ length: CLIENTS }, () => search(client, { quantity: 2 })))
    const answers = await Promise.all(promised.map(({ searchId }) => purchase(first, searchId)))
    expect(answers.map(({ status }) => status)).toEqual(promised.map(() => 202))
    await first.kill()

    const second = await startLinebook(options)
    try {
      for (const { searchId } of promised) {
        await expect.poll(() => statusOf(second, searchId)).toBe('succeeded')
      }
      expect((await owned(connect(second))).sort()).toEqual(promised.flatMap(({ phoneNumbers }) => phoneNumbers).sort())
    } finally {
      await second.stop()
    }
  })
})

/** Clients that search and purchase one after the other, until the server under them is killed. */
async function purchaseUntilKilled(linebook: Linebook): Promise<{ asked: Purchase[]; acknowledged: Purchase[] }> {
  const asked: Purchase[] = []
  const acknowledged: Purchase[] = []
  let killed: Promise<void> | undefined
  const client = async () => {
    while (killed === undefined) {
      const found = await startSearch(linebook)
      asked.push(found)
      const { status } = await purchase(linebook, found.searchId)
      expect(status).toBe(202)
      acknowledged.push(found)
      if (acknowledged.length >= ACKNOWLEDGED_PURCHASES) killed ??= linebook.kill()
    }
  }
  const failures = await Promise.allSettled(Array.from({ length: CLIENTS }, client))
  await killed
  for (const failure of failures) {
    // Whoever was waiting for an answer lost the connection; anything else is a fault.
    if (failure.status === 'rejected') {
      expect(failure.reason).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|ECONNREFUSED|EPIPE)$/) })
    }
  }
  return { asked, acknowledged }
}

async function startSearch(linebook: Linebook): Promise<Purchase> {
  const { countryCode, ...body } = aSearch({ quantity: NUMBERS_PER_SEARCH })
  const target = `/availablePhoneNumbers/countries/${countryCode}/:search`
  const answer = await signedFetch(linebook, target, { method: 'POST', body })
  expect(answer.status).toBe(202)
  return answer.body as Purchase
}

const purchase = (linebook: Linebook, searchId: string) =>
  signedFetch(linebook, '/availablePhoneNumbers/:purchase', { method: 'POST', body: { searchId } })

async function statusOf(linebook: Linebook, searchId: string): Promise<string> {
  const { body } = await signedFetch(linebook, `/phoneNumbers/operations/purchase_${searchId}`)
  return (body as { status: string }).status
}
