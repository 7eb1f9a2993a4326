import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../src/db/db.js'
import { listJobs, readJob, requestCancel } from '../../src/operations/jobs/commands.js'
import { renewOwn, takeOverLost } from '../../src/operations/jobs/keep.js'
import { runNextJob } from '../../src/operations/jobs/run.js'
import { openTestPostgres, truncate } from '../fixtures/database.js'
import { aFolder, aGate, aJob, aProcess, enterPlace } from '../fixtures/jobs.js'

const db = await openTestPostgres()
afterAll(() => db.close())
let folder: string
beforeEach(async () => {
  await truncate(db)
  folder = await aFolder()
})

describe('several processes', () => {
  it('run each job once', async () => {
    const runs: string[] = []
    const processes = Array.from({ length: 4 }, () =>
      aProcess(db, folder, ({ job }) => (runs.push(job.id), Promise.resolve({}))),
    )
    const jobs = await Promise.all(Array.from({ length: 20 }, () => aJob(processes[0] as never)))
    await Promise.all(
      processes.map(async (deps) => {
        while ((await runNextJob(deps)).claimed > 0);
      }),
    )
    expect(runs.sort()).toEqual(jobs.map(({ id }) => id).sort())
    expect((await listJobs(processes[0] as never, { states: ['succeeded'] }, { limit: 99 })).items).toHaveLength(20)
  })

  it('see how far a job is that another runs, and cancel it', async () => {
    const gate = aGate()
    const runner = aProcess(db, folder, async ({ progress, refuse, signal }) => {
      progress(5, 10)
      refuse({ line: 1, field: null, value: '', reason: 'bad' })
      gate.reach()
      await gate.opened
      signal.throwIfAborted()
      return {}
    })
    const other = aProcess(db, folder, undefined, { clock: runner.clock })
    const { id } = await aJob(other)
    const run = runNextJob(runner)
    await gate.reached
    expect(await renewOwn(runner)).toBe(1)
    expect(await readJob(other, id)).toMatchObject({ state: 'running', progress: { done: 5, total: 10 }, refused: 1 })
    expect(await requestCancel(other, id, 'client:boss')).toMatchObject({ state: 'running' })
    await renewOwn(runner)
    gate.open()
    await run
    expect(await readJob(other, id)).toMatchObject({ state: 'cancelled', cancelRequested: { by: 'client:boss' } })
  })

  it('undo what was cancelled by another before it was committed, even unseen', async () => {
    const runner = aProcess(db, folder, async ({ job, commit }) => {
      await requestCancel(other, job.id, 'client:boss')
      await db.transaction(async (tx) => {
        await enterPlace(tx)
        await commit(tx, {})
      })
      return {}
    })
    const other = aProcess(db, folder)
    const { id } = await aJob(other)
    await runNextJob(runner)
    expect(await readJob(other, id)).toMatchObject({ state: 'cancelled' })
    expect(await db.query(sql`select from place`)).toEqual([])
  })

  it('keep a run from committing whose job was taken over while it stood still', async () => {
    const gate = aGate()
    const stalled = aProcess(db, folder, async ({ commit }) => {
      gate.reach()
      await gate.opened
      await db.transaction((tx) => commit(tx, { by: 'stalled' }))
      return {}
    })
    const { id } = await aJob(stalled)
    const run = runNextJob(stalled)
    await gate.reached
    stalled.clock.advance(61_000)
    const next = aProcess(db, folder, ({ job }) => Promise.resolve({ by: 'next', id: job.id }), {
      clock: stalled.clock,
    })
    expect(await takeOverLost(next)).toEqual({ resumed: 1, ended: 0 })
    await runNextJob(next)
    await renewOwn(stalled)
    gate.open()
    expect(await run).toMatchObject({ done: 0, skipped: 1 })
    expect(await readJob(next, id)).toMatchObject({ state: 'succeeded', result: { by: 'next' } })
  })

  it('take a lost job over once', async () => {
    const dead = aProcess(db, folder, () => new Promise(() => {}))
    await aJob(dead)
    void runNextJob(dead)
    await expect.poll(async () => (await listJobs(dead, { states: ['running'] }, { limit: 1 })).items.length).toBe(1)
    dead.clock.advance(61_000)
    const others = Array.from({ length: 5 }, () => aProcess(db, folder, undefined, { clock: dead.clock }))
    const taken = await Promise.all(others.map((other) => takeOverLost(other)))
    expect(taken.reduce((sum, { resumed }) => sum + resumed, 0)).toBe(1)
  })
})
