import { Readable } from 'node:stream'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { listHistory } from '../../../src/ledger/reads.js'
import { createJob, readJob, receiveJob, refusalsOf } from '../../../src/operations/jobs/commands.js'
import type { Job, JobInputs, JobRequest, Refusal } from '../../../src/operations/jobs/job.js'
import { runNextJob } from '../../../src/operations/jobs/run.js'
import { buy } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { aFolder } from '../../fixtures/jobs.js'
import { balanceOf, fund } from '../../fixtures/money.js'
import { createTestService, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let service: TestService
beforeEach(async () => {
  service = await createTestService(db, { LINEBOOK_SPOOL_DIR: await aFolder() })
})

const createdBy = 'client:importer'

async function runImport(text: string, input: JobInputs['stock-import'] = {}): Promise<Job & { rows: Refusal[] }> {
  const { jobs } = service.wiring
  const { id } = await receiveJob(jobs, { kind: 'stock-import', createdBy, input }, Readable.from([text]), {
    maxBytes: 1_000_000,
  })
  await runNextJob(jobs)
  const rows: Refusal[] = []
  for await (const batch of refusalsOf(jobs, id)) rows.push(...batch)
  return { ...(await readJob(jobs, id)), rows }
}

async function run(request: JobRequest): Promise<Job> {
  const { id } = await createJob(service.wiring.jobs, request)
  await runNextJob(service.wiring.jobs)
  return readJob(service.wiring.jobs, id)
}

const generate = (input: Partial<JobInputs['stock-generate']>) =>
  run({ kind: 'stock-generate', createdBy, input: { phoneNumber: '+12065550100', count: 50, ...input } })

const numbers = async (): Promise<string[]> =>
  (await db.query<{ e164: string }>(sql`select e164 from number order by e164`)).map(({ e164 }) => e164)

const MIXED = 'phoneNumber,areaCode\n+12065550100,206\nnonsense,206\n+12065550101,2O6\n+12065550102\n'

describe('the job stock-import', () => {
  it('enters a file, in the name of its actor', async () => {
    const text = 'phoneNumber\n+12065550100\n+12065550101\n'
    expect(await runImport(text, { fileName: 'may.csv' })).toMatchObject({
      state: 'succeeded',
      result: { entered: 2, known: 0, bad: 0, kept: true },
      progress: { done: text.length, total: text.length, unit: 'bytes' },
    })
    expect(await listHistory(db, '+12065550101')).toMatchObject([{ actor: createdBy, reason: 'stock import may.csv' }])
  })

  it('refuses all of a file with bad rows, naming line, field and value of each', async () => {
    const job = await runImport(MIXED)
    expect(job).toMatchObject({
      state: 'failed',
      error: { code: 'rows-refused' },
      result: { entered: 1, bad: 3, kept: false },
      refused: 3,
      rows: [
        { line: 3, field: 'phoneNumber', value: 'nonsense' },
        { line: 4, field: 'areaCode', value: '2O6' },
        { line: 5, field: null, value: '+12065550102' },
      ],
    })
    expect(await numbers()).toEqual([])
  })

  it('enters the good rows when told to leave out the bad ones', async () => {
    expect(await runImport(MIXED, { skipBad: true })).toMatchObject({
      state: 'succeeded',
      result: { entered: 1, bad: 3, kept: true },
      refused: 3,
    })
    expect(await numbers()).toEqual(['+12065550100'])
  })

  it('changes nothing in a dry run, and tells all the same', async () => {
    expect(await runImport(MIXED, { dryRun: true })).toMatchObject({
      state: 'succeeded',
      result: { entered: 1, bad: 3, kept: false },
      rows: [{ line: 3 }, { line: 4 }, { line: 5 }],
    })
    expect(await numbers()).toEqual([])
  })

  it('fails for a file that is none, without telling where it was kept', async () => {
    const { error } = await runImport('number\n+12065550100\n', { fileName: 'may.csv' })
    expect(error).toEqual({
      code: 'invalid-input',
      message: expect.stringMatching(/^may\.csv: no such heading/) as string,
    })
  })

  it('is not begun for a stock that nobody has', () =>
    expect(runImport('', { pool: 'nobody' })).rejects.toMatchObject({ kind: 'invalid-input', target: 'pool' }))
})

describe('the job stock-generate', () => {
  it('enters a range', async () => {
    expect(await generate({ locality: 'Seattle' })).toMatchObject({
      state: 'succeeded',
      result: { entered: 50, known: 0 },
      progress: { done: 50, total: 50, unit: 'numbers' },
    })
    expect((await listHistory(db, '+12065550149'))[0]).toMatchObject({ actor: createdBy, reason: 'stock generate' })
  })

  it('enters nothing when a number of it is there with another place', async () => {
    await enterStock(db, { from: '+12065550149', count: 1 })
    expect(await generate({})).toMatchObject({ state: 'failed', error: { code: 'invalid-input' } })
    expect(await numbers()).toEqual(['+12065550149'])
  })

  it.each([
    [{ count: 0 }, 'count'],
    [{ phoneNumber: 'x' }, 'phoneNumber'],
    [{ phoneNumber: '+18889999999', count: 2 }, 'phoneNumber'],
    [{ pool: 'nobody' }, 'pool'],
  ])('is not begun with %o', async (input, target) => {
    await expect(generate(input)).rejects.toMatchObject({ kind: 'invalid-input', target })
  })
})

describe('the job wallets-charge-month', () => {
  it('charges the month that it was begun in, although another has begun when it runs', async () => {
    const buyer = await service.client()
    await enterStock(db)
    await fund(service, buyer, '20')
    await buy(buyer, 2)
    const goTo = (instant: string) => service.clock.advance(Date.parse(instant) - service.clock.now().getTime())
    goTo('2026-04-30T23:59:00.000Z')
    const { id } = await createJob(service.wiring.jobs, { kind: 'wallets-charge-month', createdBy, input: {} })
    goTo('2026-05-01T00:01:00.000Z')
    await runNextJob(service.wiring.jobs)
    expect(await readJob(service.wiring.jobs, id)).toMatchObject({
      state: 'succeeded',
      input: { month: '2026-04' },
      progress: { done: 1, unit: 'resources' },
      result: { month: '2026-04', charged: [{ numbers: 2, amount: '2.00' }] },
    })
    expect(await balanceOf(db, buyer)).toBe(160_000n)
  })

  it('is not begun for a month that has not begun', () =>
    expect(run({ kind: 'wallets-charge-month', createdBy, input: { month: '2099-01' } })).rejects.toMatchObject({
      kind: 'invalid-input',
    }))
})
