/** Long work: jobs of the Operator API, operations of Phone Numbers, and items that backends have still to be sent. */
import { Command, Option } from 'commander'
import { jobStates } from '../../operations/jobs/job.js'
import { operationKinds } from '../../operations/operation.js'
import { syncServices } from '../../operator/status/status.js'
import { syncKinds } from '../../sync/sync.js'
import { operator } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { followJob, type JobJson } from '../client/jobs.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'
import { firstOf, parseLimit } from '../text/list.js'
import { itemLine, jobLine, operationLine, type ItemJson, type OperationJson } from '../text/work-text.js'

const USUAL_LIMIT = 50

const limitOption = (): Option =>
  new Option('--limit <COUNT>', 'no more than this').default(USUAL_LIMIT).argParser(parseLimit)

export const jobCommand = (io: Io): Command =>
  new Command('job')
    .description('Jobs are long work that a server has promised, such as imports')
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(waitCommand(io))
    .addCommand(cancelCommand(io))
    .addHelpText('after', '\nExample:\n  $ linebook job list --state running')

const listCommand = (io: Io): Command =>
  addClientOptions(new Command('list'))
    .description('List jobs, newest first')
    .addOption(new Option('--state <STATE...>', 'in these states').choices(jobStates))
    .addOption(limitOption())
    .addHelpText('after', '\nExample:\n  $ linebook job list --state running queued')
    .action(({ state, limit }: { state?: string[]; limit: number }, command: Command) =>
      perform(io, command, (client) => ({
        items: firstOf(client.list<JobJson>(operator`/jobs`, { state }), limit),
        line: jobLine,
        none: 'There is no such job.',
      })),
    )

const showCommand = (io: Io): Command =>
  addClientOptions(new Command('show'))
    .description('Show a job, and how far it is')
    .argument('<id>', 'the job')
    .addHelpText('after', '\nExample:\n  $ linebook job show 3f1c7a52-8f0f-4a27-9d53-7d5ad0b0d5b1')
    .action((id: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const job = await client.request<JobJson>('GET', operator`/jobs/${id}`)
        return { json: job, text: jobLine(job) }
      }),
    )

const waitCommand = (io: Io): Command =>
  addClientOptions(new Command('wait'))
    .description('Wait until a job has ended; Ctrl-C cancels it')
    .argument('<id>', 'the job')
    .addHelpText('after', '\nExample:\n  $ linebook job wait 3f1c7a52-8f0f-4a27-9d53-7d5ad0b0d5b1')
    .action((id: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const job = await followJob(io, client, { id })
        return { json: job, text: jobLine(job) }
      }),
    )

const cancelCommand = (io: Io): Command =>
  addClientOptions(new Command('cancel'))
    .description('Cancel a job that waits, or have one end that runs; too late once its work is stored')
    .argument('<id>', 'the job')
    .addHelpText('after', '\nExample:\n  $ linebook job cancel 3f1c7a52-8f0f-4a27-9d53-7d5ad0b0d5b1')
    .action((id: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const job = await client.request<JobJson>('POST', operator`/jobs/${id}:cancel`)
        return { json: job, text: jobLine(job) }
      }),
    )

interface OperationOptions {
  status?: string[]
  kind?: string[]
  resource?: string
  limit: number
}

export const operationsCommand = (io: Io): Command =>
  addClientOptions(new Command('operations'))
    .description('List operations of Phone Numbers: those that are pending, then those that ended of late')
    .addOption(new Option('--status <STATUS...>', 'so far').choices(['pending', 'succeeded', 'failed']))
    .addOption(new Option('--kind <KIND...>', 'of these kinds').choices(operationKinds))
    .option('--resource <NAME>', 'of this resource')
    .addOption(limitOption())
    .addHelpText('after', '\nExample:\n  $ linebook operations --status pending')
    .action(({ status, kind, resource, limit }: OperationOptions, command: Command) =>
      perform(io, command, (client) => ({
        items: firstOf(client.list<OperationJson>(operator`/operations`, { status, kind, resource }), limit),
        line: operationLine,
        none: 'There is no such operation.',
      })),
    )

interface ItemOptions {
  status: string
  service?: string[]
  kind?: string[]
  limit: number
}

export const itemsCommand = (io: Io): Command =>
  addClientOptions(new Command('items'), ['backends'])
    .description('List what backends have refused, or have still to be sent')
    .addOption(new Option('--status <STATUS>', 'which').choices(['failed', 'waiting', 'pending']).default('failed'))
    .addOption(new Option('--service <SERVICE...>', 'only of these services').choices(syncServices))
    .addOption(new Option('--kind <KIND...>', 'only of these kinds').choices(syncKinds))
    .addOption(limitOption())
    .addHelpText('after', '\nExamples:\n  $ linebook items\n  $ linebook items --status waiting --service oc')
    .action(({ status, service, kind, limit }: ItemOptions, command: Command) =>
      perform(io, command, (client) => ({
        items: firstOf(client.list<ItemJson>(operator`/sync/items`, { status, service, kind }), limit),
        line: itemLine,
        none: status === 'failed' ? 'Nothing was refused.' : 'Nothing is left to be sent.',
      })),
    )
