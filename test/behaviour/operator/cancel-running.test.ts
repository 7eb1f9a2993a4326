/** Cancelling a job while it runs, over the Operator API: also where one connection is all there is. */
import { afterAll, beforeEach, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import type { JobsDeps } from '../../../src/operations/jobs/deps.js'
import type { JobContext } from '../../../src/operations/jobs/job.js'
import { runNextJob } from '../../../src/operations/jobs/run.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let service: TestService
let api: OperatorApi
beforeEach(async () => {
  service = await createTestService(db)
  api = await operatorApiOf(service)
})

const FILE = 'phoneNumber,countryCode,phoneNumberType,areaCode\n+12065550100,US,geographic,206\n'

async function anImport(): Promise<string> {
  const answer = await api.post('/stock/imports', FILE, { 'content-type': 'text/csv' })
  expect(answer.statusCode, answer.body).toBe(202)
  return answer.json<{ id: string }>().id
}

/** The jobs of the service, whose imports do something of the test's own within their transactions. */
function jobsWith(over: (context: JobContext) => Partial<JobContext>): JobsDeps {
  const { jobs } = service.wiring
  const real = jobs.kinds.get('stock-import')
  if (!real) throw new Error('There are no imports.')
  const kind = { ...real, run: (context: JobContext) => real.run({ ...context, ...over(context) }) }
  return { ...jobs, kinds: new Map([['stock-import', kind]]) }
}

// As the command line sends it: with a key, which must not make it wait for the transaction of the job.
const cancel = (id: string) => api.post(`/jobs/${id}:cancel`, undefined, { 'Idempotency-Key': 'cancel-1' })
const entered = () => db.query(sql`select e164 from number`)

it('an import that runs ends as cancelled, and nothing is entered', async () => {
  const id = await anImport()
  let answer: Awaited<ReturnType<typeof cancel>> | undefined
  // All its rows are entered, in a transaction that is still open.
  const run = await runNextJob(
    jobsWith(({ commit }) => ({
      commit: async (tx, result) => {
        expect(await tx.query(sql`select e164 from number`)).toHaveLength(1)
        answer = await cancel(id)
        await commit(tx, result)
      },
    })),
  )
  expect(answer?.statusCode, answer?.body).toBe(200)
  expect(answer?.json()).toMatchObject({ id, state: 'running', cancelRequested: { by: expect.any(String) as string } })
  expect(run).toMatchObject({ claimed: 1, done: 0, failed: 0, skipped: 1 })
  expect((await api.get(`/jobs/${id}`)).json()).toMatchObject({ state: 'cancelled', result: null, error: null })
  expect(await entered()).toEqual([])
})

it('one that is just being committed, or has been, is not', async () => {
  const id = await anImport()
  let answer: Awaited<ReturnType<typeof cancel>> | undefined
  await runNextJob(
    jobsWith(({ commit }) => ({
      commit: async (tx, result) => {
        await commit(tx, result)
        answer = await cancel(id)
      },
    })),
  )
  const refused = { status: 409, code: 'conflict' }
  expect(answer?.json(), answer?.body).toMatchObject(refused)
  expect((await cancel(id)).json()).toMatchObject(refused)
  expect((await api.get(`/jobs/${id}`)).json()).toMatchObject({ state: 'succeeded', cancelRequested: null })
  expect(await entered()).toHaveLength(1)
})
