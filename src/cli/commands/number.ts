import { Command } from 'commander'
import { SetupError } from '../../errors.js'
import { isE164 } from '../../ledger/number.js'
import { addAnswerOptions, WHOM_IT_ASKS, withAnswers } from '../connection/answers.js'
import { print } from '../connection/settings.js'
import { timelineText } from '../text/timeline-text.js'

export const numberCommand = (): Command =>
  addAnswerOptions(new Command('number'))
    .description(
      'Tell everything about one number: where it stands, who did what to it, each attempt to tell a backend',
    )
    .argument('<number>', 'E.164')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
A number that has left the ledger is told of too, for as long as there is something to tell.
${WHOM_IT_ASKS}

Examples:
  $ linebook number +14255550100
  $ linebook number +14255550100 --json`,
    )
    .action((e164: string, options: { json?: true }, command: Command) => {
      if (!isE164(e164)) {
        throw new SetupError(`"${e164.slice(0, 40)}" is not an E.164 number, e.g. +14255550100.`)
      }
      return withAnswers(command, async (answers) => {
        const timeline = await answers.timeline(e164)
        if (timeline === undefined)
          throw new SetupError(`Nothing has ever been heard of ${e164} (asked ${answers.source}).`)
        print(options.json ? JSON.stringify(timeline, undefined, 2) : timelineText(timeline, answers.source))
      })
    })
