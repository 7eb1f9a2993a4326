import { Command } from 'commander'
import { addAnswerOptions, WHOM_IT_ASKS, withAnswers } from '../connection/answers.js'
import { print } from '../connection/settings.js'
import { statusText } from '../text/status-text.js'

export const statusCommand = (): Command =>
  addAnswerOptions(new Command('status'))
    .description(
      'Tell what the backends have still to be told, what purchases wait for, what was refused, and what to do about it',
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Of each service: what is pending, and of that what is due now, what is being told (under way) and what waits for its
next try; since when the oldest is pending; what was refused (failed). CALLS is "stopped" while a backend that does not
answer is left alone for a time. Then the purchases that wait for the billing or fulfilment hook, and why.
${WHOM_IT_ASKS}

Examples:
  $ linebook status
  $ linebook status --json
  $ linebook status --url https://provapi.voice.example --token "$TOKEN"`,
    )
    .action((options: { json?: true }, command: Command) =>
      withAnswers(command, async (answers) => {
        const status = await answers.status()
        print(options.json ? JSON.stringify(status, undefined, 2) : statusText(status, answers.source))
      }),
    )
