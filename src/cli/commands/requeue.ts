import { Command, Option } from 'commander'
import type { Requeue } from '../../accounts/commands/requeue.js'
import { syncServices } from '../../provisioning/status/status.js'
import type { RequeuedJson } from '../../provisioning/status/views.js'
import { syncKinds, type SyncKind, type SyncService } from '../../sync/sync.js'
import { addAnswerOptions, WHOM_IT_ASKS, withAnswers } from '../connection/answers.js'
import { print } from '../connection/settings.js'
import { serviceNames } from '../text/status-text.js'
import { counted } from '../text/words.js'

interface RequeueOptions {
  service?: SyncService
  kind?: SyncKind
  waiting?: true
  json?: true
}

export const requeueCommand = (): Command =>
  addAnswerOptions(new Command('requeue'))
    .description('Have backends asked again for what they refused')
    .argument('[numbers...]', 'only these, E.164; all that was refused when left out')
    .addOption(new Option('--service <SERVICE>', 'only of this service').choices(syncServices))
    .addOption(new Option('--kind <KIND>', 'only things of this kind').choices(syncKinds))
    .option('--waiting', 'also what waits for its next try after an error: try it at once')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Mend the cause first: what is wrong with a number is refused again. A number that was to be removed, that its backend
kept, and that is on its account again is told as present: to remove it, delete it again.
${WHOM_IT_ASKS}

Examples:
  $ linebook requeue --service oc
  $ linebook requeue +14255550100 +14255550101
  $ linebook requeue --waiting --service oc            the backend is back, and nobody wants to wait`,
    )
    .action((numbers: string[], options: RequeueOptions, command: Command) =>
      withAnswers(command, async (answers) => {
        const { service, kind, waiting, json } = options
        const wanted: Requeue = {
          ...(service && { service }),
          ...(kind && { kind }),
          ...(waiting && { waiting }),
          ...(numbers.length > 0 && { numbers }),
        }
        const requeued = await answers.requeue(wanted)
        print(json ? JSON.stringify(requeued, undefined, 2) : requeuedText(requeued))
      }),
    )

export function requeuedText({ services, untouched }: RequeuedJson): string {
  const lines = [
    ...services.map(({ service, failed, waiting }) => {
      const parts = [
        ...(failed > 0 ? [`${counted(failed, 'refused thing')} due again`] : []),
        ...(waiting > 0 ? [`${counted(waiting, 'waiting thing')} due at once`] : []),
      ]
      return `${serviceNames[service]} (${service}): ${parts.join(', ')}.`
    }),
    ...untouched.map(({ e164, services: standings }) => {
      const stands = standings.map(({ service, status }) => `${service} ${status}`).join(', ')
      return `${e164}: nothing to try again (${stands === '' ? 'no backend is told of it' : stands}).`
    }),
  ]
  if (services.length > 0) lines.push('See how it goes with: linebook status')
  return lines.length === 0 ? 'Nothing to try again.' : lines.join('\n')
}
