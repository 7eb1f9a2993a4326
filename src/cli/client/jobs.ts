/** Long work: a command waits for its job, shows how far it is, and cancels it on Ctrl-C. */
import { setTimeout as pause } from 'node:timers/promises'
import { SetupError } from '../../errors.js'
import type { JobState } from '../../operations/jobs/job.js'
import type { Io } from '../io.js'
import { ProgressBar } from '../text/progress.js'
import { operator, type Client } from './client.js'

/** As the Operator API shows it. */
export interface JobJson {
  id: string
  kind: string
  state: JobState
  createdBy: string
  createdAt: string
  startedAt: string | null
  endedAt: string | null
  progress: { done: number; total: number | null; unit: string; perSecond: number | null }
  result: object | null
  error: { code: string; message: string } | null
  refused: number
}

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

/** Waits until a job has ended, however. */
export async function followJob(io: Io, client: Client, { id }: Pick<JobJson, 'id'>): Promise<JobJson> {
  client.runJobs()
  const bar = new ProgressBar(io.stderr)
  let cancelling: Promise<unknown> | undefined
  const stop = io.onInterrupt(() => {
    bar.line('Cancelling …')
    // One that has just ended can't be cancelled any more; how it ended is told below.
    cancelling = client.request('POST', operator`/jobs/${id}:cancel`).catch(() => {})
  })
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const job = await client.request<JobJson>('GET', operator`/jobs/${id}`)
      if (job.endedAt !== null) {
        await cancelling
        return job
      }
      bar.update(job.progress.done, job.progress.total ?? 0)
      await pause(pauseMs)
    }
  } finally {
    stop()
    bar.end()
  }
}

/** The result of a job. Throws a SetupError when it was cancelled or failed. */
export function resultOf({ id, state, result, error }: JobJson): object {
  if (state === 'succeeded') return result ?? {}
  throw new SetupError(
    state === 'cancelled' ? `The job ${id} was cancelled.` : (error?.message ?? `The job ${id} ended as ${state}.`),
  )
}
