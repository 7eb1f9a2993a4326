/** How the work for the backends stands, and having what they refused tried again. */
import { Command, Option } from 'commander'
import { syncServices } from '../../operator/status/status.js'
import type { RequeuedJson, StatusJson } from '../../operator/status/views.js'
import { syncKinds } from '../../sync/sync.js'
import { operator } from '../client/client.js'
import { addClientOptions, WHERE_IT_IS_DONE } from '../client/connect.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'
import { requeuedText } from '../text/requeued-text.js'
import { statusText } from '../text/status-text.js'

export const statusCommand = (io: Io): Command =>
  addClientOptions(new Command('status'), ['backends'])
    .description(
      'Show what the backends have still to be sent, what purchases wait for, what was refused, and what to do about it',
    )
    .addHelpText(
      'after',
      `
Of each service: what is pending, and of that what is due now, what is being sent (under way) and what waits for its
next try; since when the oldest is pending; what was refused (failed). CALLS is "stopped" while a backend that does not
answer is left alone for a time. Then the purchases that wait for the billing or fulfilment hook, and why.
${WHERE_IT_IS_DONE}

Examples:
  $ linebook status
  $ linebook status --json
  $ LINEBOOK_TOKEN=$TOKEN linebook status --url https://numbers.example`,
    )
    .action((_options, command: Command) =>
      perform(io, command, async (client) => {
        const status = await client.request<StatusJson>('GET', operator`/sync`)
        return { json: status, text: statusText(status, client.source) }
      }),
    )

interface RequeueOptions {
  service?: string
  kind?: string
  waiting?: true
}

export const requeueCommand = (io: Io): Command =>
  addClientOptions(new Command('requeue'), ['backends'])
    .description('Have backends asked again for what they refused')
    .argument('[numbers...]', 'only these, E.164; all that was refused when left out')
    .addOption(new Option('--service <SERVICE>', 'only of this service').choices(syncServices))
    .addOption(new Option('--kind <KIND>', 'only items of this kind').choices(syncKinds))
    .option('--waiting', 'also what waits for its next try after an error: try it at once')
    .addHelpText(
      'after',
      `
Mend the cause first: what is wrong with a number is refused again. A number that was to be removed, that its backend
kept, and that is on its account again is sent as present: to remove it, delete it again.
${WHERE_IT_IS_DONE}

Examples:
  $ linebook requeue --service oc
  $ linebook requeue +14255550100 +14255550101
  $ linebook requeue --waiting --service oc            the backend is back, and nobody wants to wait`,
    )
    .action((numbers: string[], { service, kind, waiting }: RequeueOptions, command: Command) =>
      perform(io, command, async (client) => {
        const body = { service, kind, waiting, ...(numbers.length > 0 && { numbers }) }
        const requeued = await client.request<RequeuedJson>('POST', operator`/sync:requeue`, { body })
        return { json: requeued, text: requeuedText(requeued) }
      }),
    )
