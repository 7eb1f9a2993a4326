import { listJobs as readJobs, readJob, requestCancel, selectRefusals } from '../../operations/jobs/commands.js'
import { perSecond, type Job, type Refusal } from '../../operations/jobs/job.js'
import { cancelJob, getJob, listJobs, listRefusals } from '../contract/jobs.js'
import { BASE_PATH } from '../contract/operation.js'
import type { OperatorDeps } from '../deps.js'
import { list, param, route, type Result, type Route } from '../wire/route.js'

export const jobRoutes = ({ clock, jobs }: OperatorDeps): Route[] => [
  route(listJobs, async ({ query: { kind, state } }) =>
    list<Job>({
      page: async ({ limit, after: [createdAt, id] = [] }) => {
        const after = createdAt === undefined ? undefined : { createdAt: instantOf(createdAt), id: String(id) }
        const { items, next } = await readJobs(jobs, { kinds: kind, states: state }, { after, limit })
        return { items, next: next && [next.createdAt.getTime(), next.id] }
      },
      view: (job) => jobView(job, clock.now()),
      columns: JOB_COLUMNS,
    }),
  ),
  route(getJob, async ({ params }) => ({ body: jobView(await readJob(jobs, param({ params }, 'id')), clock.now()) })),
  // Not within a transaction: the embedded database would begin it only when that of the running job is over.
  route(cancelJob, async ({ params, who }) => {
    const job = await requestCancel(jobs, param({ params }, 'id'), who.actor)
    return { body: jobView(job, clock.now()) }
  }),
  route(listRefusals, async ({ params }) => {
    const { id } = await readJob(jobs, param({ params }, 'id'))
    return list<Refusal>({
      page: async ({ limit, after: [seen = 0] = [] }) => {
        const items = await selectRefusals(jobs, id, { after: Number(seen), limit: limit + 1 })
        const isMore = items.length > limit
        return { items: items.slice(0, limit), next: isMore ? [Number(seen) + limit] : null }
      },
      view: (refusal) => refusal,
      count: async () => ({ value: (await readJob(jobs, id)).refused, exact: true }),
      columns: ['line', 'field', 'value', 'reason'],
    })
  }),
]

/** Throws a RangeError for what is no time. */
const instantOf = (part: string | number): Date => new Date(new Date(part).toISOString())

/** The response that promises a job. */
export const promised = (job: Job, now: Date): Result => ({
  headers: { Location: `${BASE_PATH}/jobs/${job.id}` },
  body: jobView(job, now),
})

const JOB_COLUMNS = [
  'id',
  'kind',
  'state',
  'createdBy',
  'createdAt',
  'startedAt',
  'endedAt',
  'progress.done',
  'progress.total',
  'progress.unit',
  'refused',
  'error.code',
  'error.message',
]

function jobView(job: Job, now: Date) {
  const { createdAt, startedAt, endedAt, cancelRequested } = job
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    createdBy: job.createdBy,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt && startedAt.toISOString(),
    endedAt: endedAt && endedAt.toISOString(),
    input: job.input,
    progress: { ...job.progress, perSecond: perSecond(job, now) },
    result: job.result,
    error: job.error,
    refused: job.refused,
    cancelRequested: cancelRequested && { ...cancelRequested, at: cancelRequested.at.toISOString() },
  }
}
