import { existsSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeEach, describe, expect } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import { DomainError } from '../../../src/errors.js'
import { newId } from '../../../src/ids.js'
import { listJobs, readJob, receiveJob, refusalsOf, requestCancel } from '../../../src/operations/jobs/commands.js'
import type { JobsDeps } from '../../../src/operations/jobs/deps.js'
import { JobFailed, MAX_REFUSALS, MAX_WAITING_JOBS, perSecond, type Job } from '../../../src/operations/jobs/job.js'
import { releaseOwn, removeLeftovers, renewOwn, takeOverLost } from '../../../src/operations/jobs/keep.js'
import { runNextJob } from '../../../src/operations/jobs/run.js'
import { spoolFile } from '../../../src/operations/jobs/spool.js'
import { sweepTask } from '../../../src/workers/sweep.js'
import { aFolder, aGate, aJob, aProcess, enterPlace } from '../../fixtures/jobs.js'
import { it } from '../../fixtures/test.js'

let folder: string
beforeEach(async () => {
  folder = await aFolder()
})

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const NOTHING = { claimed: 0, done: 0, failed: 0, skipped: 0, more: false }

describe('a job', () => {
  it('waits, runs once and ends with its result', async ({ db }) => {
    const seen: object[] = []
    const deps = aProcess(db, folder, ({ job, input, file }) => {
      seen.push({ input, file, createdBy: job.createdBy })
      return Promise.resolve({ entered: 1 })
    })
    const { id } = await aJob(deps)
    expect(await readJob(deps, id)).toMatchObject({ state: 'queued', startedAt: null, createdAt: deps.clock.now() })
    expect(await runNextJob(deps)).toEqual({ claimed: 1, done: 1, failed: 0, skipped: 0, more: true })
    expect(await readJob(deps, id)).toEqual({
      id,
      kind: 'stock-generate',
      state: 'succeeded',
      createdBy: 'client:test',
      createdAt: deps.clock.now(),
      startedAt: deps.clock.now(),
      endedAt: deps.clock.now(),
      input: { phoneNumber: '+12065550100', count: 1 },
      progress: { done: 0, total: null, unit: 'numbers' },
      result: { entered: 1 },
      error: null,
      refused: 0,
      cancelRequested: null,
    })
    expect(await runNextJob(deps)).toEqual(NOTHING)
    expect(seen).toEqual([{ input: { phoneNumber: '+12065550100', count: 1 }, file: null, createdBy: 'client:test' }])
  })

  it('shows how far it is while its transaction is open', async ({ db }) => {
    const gate = aGate()
    const deps = aProcess(db, folder, async ({ progress, refuse, commit }) => {
      await db.transaction(async (tx) => {
        progress(30, 60)
        refuse({ line: 2, field: 'areaCode', value: 'x', reason: 'areaCode "x" is not 1 to 8 digits' })
        deps.clock.advance(10_000)
        gate.reach()
        await gate.opened
        progress(60)
        await commit(tx, {})
      })
      return {}
    })
    const { id } = await aJob(deps)
    const run = runNextJob(deps)
    await gate.reached
    const running = await readJob(deps, id)
    expect(running).toMatchObject({ state: 'running', progress: { done: 30, total: 60 }, refused: 1, result: null })
    expect(perSecond(running, deps.clock.now())).toBe(3)
    expect(await refusals(deps, id)).toEqual([expect.objectContaining({ line: 2, field: 'areaCode' })])
    gate.open()
    await run
    expect(await readJob(deps, id)).toMatchObject({ state: 'succeeded', progress: { done: 60, total: 60 }, refused: 1 })
  })

  it('keeps the rows it refused in the order of their lines, counting those beyond the limit', async ({ db }) => {
    const deps = aProcess(db, folder, ({ refuse }) => {
      refuse({ line: MAX_REFUSALS + 9, field: null, value: 'a\0b', reason: 'it has a NUL' })
      for (let line = 1; line <= MAX_REFUSALS; line++) refuse({ line, field: 'phoneNumber', value: '1', reason: 'no' })
      throw new JobFailed({ code: 'rows-refused', message: 'Nothing was entered.' }, { bad: MAX_REFUSALS + 1 })
    })
    const { id } = await aJob(deps)
    expect(await runNextJob(deps)).toMatchObject({ done: 0, failed: 1 })
    const job = await readJob(deps, id)
    expect(job).toMatchObject({
      state: 'failed',
      refused: MAX_REFUSALS + 1,
      error: { code: 'rows-refused', message: 'Nothing was entered.' },
      result: { bad: MAX_REFUSALS + 1 },
    })
    const rows = await refusals(deps, id)
    expect(rows).toHaveLength(MAX_REFUSALS)
    expect(rows[0]).toEqual({ line: 1, field: 'phoneNumber', value: '1', reason: 'no' })
    expect(rows.at(-1)).toMatchObject({ line: MAX_REFUSALS + 9, field: null, value: 'a\ufffdb' })
  })

  it('forgets what a try of its transaction did when the database has it tried again', async ({ db }) => {
    let tries = 0
    const deps = aProcess(db, folder, async ({ startAgain, progress, refuse, commit }) => {
      await db.transaction(async (tx) => {
        if (tries++ > 0) startAgain()
        progress(tries)
        refuse({ line: tries, field: null, value: '', reason: 'bad' })
        await commit(tx, { tries })
        if (tries === 1) throw Object.assign(new Error('deadlock'), { code: '40P01' })
      })
      return {}
    })
    const { id } = await aJob(deps)
    await runNextJob(deps)
    expect(await readJob(deps, id)).toMatchObject({ state: 'succeeded', refused: 1, result: { tries: 2 } })
    expect(await refusals(deps, id)).toMatchObject([{ line: 2 }])
  })

  it.for([
    [new DomainError('invalid-input', '2026-13 is no month.'), 'invalid-input', '2026-13 is no month.'],
    [new TypeError('secret details'), 'internal-error', 'Linebook met an internal error; its log has the details.'],
  ] as const)('ends as failed when it can’t be done: %s', async ([error, code, message], { db }) => {
    const deps = aProcess(db, folder, () => Promise.reject(error))
    const { id } = await aJob(deps)
    await runNextJob(deps)
    expect(await readJob(deps, id)).toMatchObject({ state: 'failed', error: { code, message }, result: null })
  })

  it('is refused while very many wait, and when its kind refuses what it is to do', async ({ db }) => {
    const deps = aProcess(db, folder, undefined, {
      check: (input) => {
        if (deps.clock.now().getTime() > start) throw new DomainError('invalid-input', 'Too late.')
        return { ...input, checked: true }
      },
    })
    const start = deps.clock.now().getTime()
    for (let waiting = 0; waiting < MAX_WAITING_JOBS; waiting++) await aJob(deps)
    await expect(aJob(deps)).rejects.toMatchObject({ kind: 'too-many-requests' })
    expect((await listJobs(deps, {}, { limit: 1 })).items[0]?.input).toMatchObject({ checked: true })
    deps.clock.advance(1)
    await expect(aJob(deps)).rejects.toThrow('Too late.')
  })

  it('is listed, newest first, by kind and state, and purged 31 days after its end', async ({ db }) => {
    const deps = aProcess(db, folder)
    const jobs: Job[] = []
    for (let count = 0; count < 5; count++) {
      deps.clock.advance(count % 2)
      jobs.push(await aJob(deps))
    }
    const byAge = jobs.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
    const first = await listJobs(deps, { states: ['queued'], kinds: ['stock-generate'] }, { limit: 3 })
    const second = await listJobs(deps, {}, { limit: 3, after: first.next ?? undefined })
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(byAge.map(({ id }) => id))
    expect(second.next).toBeNull()
    expect((await listJobs(deps, { states: ['running'] }, { limit: 3 })).items).toEqual([])
    expect((await listJobs(deps, { kinds: ['stock-import'] }, { limit: 3 })).items).toEqual([])
    await runNextJob(deps)
    deps.clock.advance(31 * DAY - 1)
    const sweep = sweepTask(deps)
    expect((await sweep.runOnce()).done).toBe(0)
    deps.clock.advance(1)
    expect((await sweep.runOnce()).done).toBe(1)
    expect((await listJobs(deps, {}, { limit: 9 })).items).toHaveLength(4)
  })

  it.for(['', 'nonsense', newId(), `${newId()}\0`] as const)(
    'that is not there is not found: "%s"',
    async (id, { db }) => {
      const deps = aProcess(db, folder)
      const missing = { kind: 'not-found' }
      await expect(readJob(deps, id)).rejects.toMatchObject(missing)
      await expect(requestCancel(deps, id, 'me')).rejects.toMatchObject(missing)
      await expect(refusals(deps, id)).rejects.toMatchObject(missing)
    },
  )
})

describe('cancelling', () => {
  it('ends a job that waits at once', async ({ db }) => {
    const deps = aProcess(db, folder)
    const { id } = await aJob(deps)
    expect(await requestCancel(deps, id, 'client:boss')).toMatchObject({
      state: 'cancelled',
      endedAt: deps.clock.now(),
      cancelRequested: { at: deps.clock.now(), by: 'client:boss' },
    })
    expect(await runNextJob(deps)).toEqual(NOTHING)
    await expect(requestCancel(deps, id, 'client:boss')).rejects.toMatchObject({ kind: 'state-conflict' })
  })

  it('undoes what a running job has not committed', async ({ db }) => {
    const gate = aGate()
    const deps = aProcess(db, folder, async ({ signal }) => {
      await db.transaction(async (tx) => {
        await enterPlace(tx)
        gate.reach()
        await gate.opened
        signal.throwIfAborted()
      })
      return {}
    })
    const { id } = await aJob(deps)
    const run = runNextJob(deps)
    await gate.reached
    // On PGlite too, although the session is busy.
    expect(await requestCancel(deps, id, 'client:boss')).toMatchObject({
      state: 'running',
      cancelRequested: { by: 'client:boss' },
    })
    gate.open()
    expect(await run).toMatchObject({ done: 0, failed: 0, skipped: 1 })
    expect(await readJob(deps, id)).toMatchObject({ state: 'cancelled', cancelRequested: { by: 'client:boss' } })
    expect(await db.query(sql`select from place`)).toEqual([])
  })

  it('comes too late once the job commits', async ({ db }) => {
    const gate = aGate()
    const deps = aProcess(db, folder, async ({ commit }) => {
      await db.transaction(async (tx) => {
        await commit(tx, { entered: 1 })
        gate.reach()
        await gate.opened
      })
      return {}
    })
    const { id } = await aJob(deps)
    const run = runNextJob(deps)
    await gate.reached
    await expect(requestCancel(deps, id, 'client:boss')).rejects.toMatchObject({ kind: 'state-conflict' })
    gate.open()
    await run
    expect(await readJob(deps, id)).toMatchObject({ state: 'succeeded', result: { entered: 1 } })
  })

  it('before its commit has a job that doesn’t look at the signal undone as well', async ({ db }) => {
    const deps = aProcess(db, folder, async ({ job, commit }) => {
      await requestCancel(deps, job.id, 'client:boss')
      await db.transaction((tx) => commit(tx, {}))
      return {}
    })
    const { id } = await aJob(deps)
    await runNextJob(deps)
    expect(await readJob(deps, id)).toMatchObject({ state: 'cancelled', result: null })
  })

  it('ends an upload', async ({ db }) => {
    const deps = aProcess(db, folder)
    const body = new Readable({ read() {} })
    const uploading = upload(deps, body)
    uploading.catch(() => {})
    body.push('a')
    await expect.poll(() => existsSync(folder)).toBe(true)
    const [job] = (await listJobs(deps, { states: ['receiving'] }, { limit: 1 })).items
    await requestCancel(deps, job?.id ?? '', 'client:boss')
    await expect(uploading).rejects.toMatchObject({ kind: 'state-conflict' })
    expect(await readJob(deps, job?.id ?? '')).toMatchObject({ state: 'cancelled' })
    expect(await readdir(folder)).toEqual([])
  })
})

describe('the file of a job', () => {
  it('is spooled where nobody else can read it, and gone when the job has ended', async ({ db }) => {
    let found: unknown
    const deps = aProcess(db, folder, async ({ file }) => {
      const path = file ?? ''
      found = {
        text: await readFile(path, 'utf8'),
        file: (await stat(path)).mode & 0o777,
        folder: (await stat(folder)).mode & 0o777,
      }
      return {}
    })
    const job = await upload(deps)
    expect(job).toMatchObject({ state: 'queued', kind: 'stock-import', input: { skipBad: true } })
    expect(Object.keys(job)).not.toContain('spool')
    await runNextJob(deps)
    expect(found).toEqual({ text: 'a,b\n1,2\n', file: 0o600, folder: 0o700 })
    expect(await readdir(folder)).toEqual([])
  })

  it('that is too long, or breaks off, leaves the job failed and no file', async ({ db }) => {
    const deps = aProcess(db, folder)
    await expect(upload(deps, Readable.from(['12345', '67890', '1']), 10)).rejects.toMatchObject({
      kind: 'body-too-large',
    })
    const broken = Readable.from(
      (function* () {
        yield 'a'
        throw new Error('socket hang up')
      })(),
    )
    await expect(upload(deps, broken)).rejects.toThrow('socket hang up')
    const { items } = await listJobs(deps, {}, { limit: 9 })
    expect(items.map(({ state, error }) => [state, error?.code]).sort()).toEqual([
      ['failed', 'body-too-large'],
      ['failed', 'upload-broken'],
    ])
    expect(await readdir(folder)).toEqual([])
    expect(deps.own.ids).toEqual([])
  })

  it('is not put where a folder can’t be', async ({ db }) => {
    await writeFile(folder, 'a file')
    await expect(upload(aProcess(db, folder))).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('left behind is removed, unless its job still needs it', async ({ db }) => {
    const deps = aProcess(db, folder)
    const { id } = await upload(deps)
    await writeFile(spoolFile(folder, newId()), 'left')
    await writeFile(join(folder, 'notes.txt'), 'not ours')
    expect(await removeLeftovers(deps)).toBe(1)
    expect((await readdir(folder)).sort()).toEqual([`${id}.spool`, 'notes.txt'].sort())
  })
})

describe('after a restart', () => {
  /** A process that was killed while it ran a job: the run never comes back. */
  async function killed(db: Db, make: (deps: JobsDeps) => Promise<Job>, kind: { resumable?: boolean } = {}) {
    const gate = aGate()
    const dead = aProcess(db, folder, () => (gate.reach(), new Promise(() => {})), kind)
    const { id } = await make(dead)
    void runNextJob(dead)
    await gate.reached
    dead.clock.advance(2 * MINUTE)
    return { id, clock: dead.clock }
  }

  it('a job is run again by the next process', async ({ db }) => {
    const { id, clock } = await killed(db, aJob)
    const next = aProcess(db, folder, () => Promise.resolve({ again: true }), { clock })
    expect(await takeOverLost(next)).toEqual({ resumed: 1, ended: 0 })
    await runNextJob(next)
    expect(await readJob(next, id)).toMatchObject({ state: 'succeeded', result: { again: true } })
  })

  it('a job whose file is still there is run again', async ({ db }) => {
    const { id, clock } = await killed(db, upload)
    const next = aProcess(db, folder, async ({ file }) => ({ text: await readFile(file ?? '', 'utf8') }), { clock })
    expect(await takeOverLost(next)).toEqual({ resumed: 1, ended: 0 })
    expect(await removeLeftovers(next)).toBe(0)
    await runNextJob(next)
    expect(await readJob(next, id)).toMatchObject({ state: 'succeeded', result: { text: 'a,b\n1,2\n' } })
    expect(await readdir(folder)).toEqual([])
  })

  it.for(['queued', 'running'] as const)(
    'a job that was %s and whose file is gone ends as failed',
    async (state, { db }) => {
      const dead = aProcess(db, folder)
      const { id, clock } =
        state === 'running' ? await killed(db, upload) : { ...(await upload(dead)), clock: dead.clock }
      const next = aProcess(db, await aFolder(), undefined, { clock })
      await db.query(sql`update job set spool = '/nowhere/' || id where id = ${id}`)
      // On a server, the process that has the file may yet come back.
      clock.advance(2 * MINUTE)
      if (db.engine === 'postgres') expect(await takeOverLost(next)).toEqual({ resumed: 0, ended: 0 })
      clock.advance(10 * MINUTE)
      expect(await takeOverLost(next)).toEqual({ resumed: 0, ended: 1 })
      expect(await readJob(next, id)).toMatchObject({
        state: 'failed',
        error: { code: 'file-gone', message: 'The process that had its file is gone. Send the file again.' },
      })
    },
  )

  it('an upload that was under way ends as failed', async ({ db }) => {
    const dead = aProcess(db, folder)
    void upload(dead, new Readable({ read() {} })).catch(() => {})
    await expect.poll(() => existsSync(folder)).toBe(true)
    dead.clock.advance(2 * MINUTE)
    const next = aProcess(db, folder, undefined, { clock: dead.clock })
    expect(await takeOverLost(next)).toEqual({ resumed: 0, ended: 1 })
    const [job] = (await listJobs(next, {}, { limit: 1 })).items
    expect(job).toMatchObject({ state: 'failed', error: { code: 'upload-broken' } })
    expect(await readdir(folder)).toEqual([])
  })

  it('a job that must not simply be repeated ends as failed', async ({ db }) => {
    const { id, clock } = await killed(db, aJob, { resumable: false })
    const next = aProcess(db, folder, undefined, { clock, resumable: false })
    expect(await takeOverLost(next)).toEqual({ resumed: 0, ended: 1 })
    expect(await readJob(next, id)).toMatchObject({ state: 'failed', error: { code: 'interrupted' } })
  })

  it('a job that ends its process each time is given up', async ({ db }) => {
    const { id, clock } = await killed(db, aJob)
    for (let runs = 1; runs < 5; runs++) {
      const gate = aGate()
      const next = aProcess(db, folder, () => (gate.reach(), new Promise(() => {})), { clock })
      expect(await takeOverLost(next)).toEqual({ resumed: 1, ended: 0 })
      void runNextJob(next)
      await gate.reached
      clock.advance(2 * MINUTE)
    }
    const last = aProcess(db, folder, undefined, { clock })
    expect(await takeOverLost(last)).toEqual({ resumed: 0, ended: 1 })
    expect(await readJob(last, id)).toMatchObject({ state: 'failed', error: { code: 'given-up' } })
  })

  it('that was orderly, a job goes on at once and as if nothing had been', async ({ db }) => {
    const gate = aGate()
    const old = aProcess(db, folder, async ({ signal }) => {
      gate.reach()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      signal.throwIfAborted()
      return {}
    })
    const { id } = await upload(old)
    const run = runNextJob(old)
    await gate.reached
    old.own.stop()
    expect(await run).toMatchObject({ skipped: 1, more: false })
    expect(await runNextJob(old)).toEqual(NOTHING)
    await releaseOwn(old)
    const next = aProcess(db, folder, () => Promise.resolve({}), { clock: old.clock })
    await takeOverLost(next)
    await runNextJob(next)
    expect(await readJob(next, id)).toMatchObject({ state: 'succeeded' })
    expect(await db.query(sql`select attempts from job`)).toEqual([{ attempts: 1 }])
  })

  it('a job that lives is left alone, however long it takes', async ({ db }) => {
    const gate = aGate()
    const deps = aProcess(db, folder, async () => (gate.reach(), await gate.opened, {}))
    const { id } = await upload(deps)
    const run = runNextJob(deps)
    await gate.reached
    for (let minutes = 0; minutes < 20; minutes++) {
      deps.clock.advance(MINUTE / 2)
      await renewOwn(deps)
      expect(await takeOverLost(deps)).toEqual({ resumed: 0, ended: 0 })
    }
    gate.open()
    await run
    expect(await readJob(deps, id)).toMatchObject({ state: 'succeeded' })
  })
})

const upload = (deps: JobsDeps, body: Readable = Readable.from(['a,b\n', '1,2\n']), maxBytes = 100): Promise<Job> =>
  receiveJob(deps, { kind: 'stock-import', createdBy: 'client:test', input: { skipBad: true } }, body, { maxBytes })

const refusals = async (deps: JobsDeps, id: string) => {
  const batches = []
  for await (const batch of refusalsOf(deps, id)) batches.push(batch)
  return batches.flat()
}
