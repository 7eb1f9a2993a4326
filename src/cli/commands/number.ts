import { Command, Option } from 'commander'
import { serviceCodes } from '../../backends/port/backend.js'
import { numberStates, numberTypes, type NumberState } from '../../ledger/number.js'
import type { TimelineJson } from '../../operator/status/views.js'
import { operator } from '../client/client.js'
import { addClientOptions, WHERE_IT_IS_DONE } from '../client/connect.js'
import { perform, printAll } from '../client/perform.js'
import type { Io } from '../io.js'
import { firstLines, firstOf, parseLimit } from '../text/list.js'
import { timelineText } from '../text/timeline-text.js'

export const numberCommand = (io: Io): Command =>
  new Command('number')
    .description('Numbers of the ledger: what happened to one, and lists of them')
    .addCommand(showCommand(io), { isDefault: true })
    .addCommand(listCommand(io))
    .addHelpText('after', '\nExamples:\n  $ linebook number +14255550100\n  $ linebook number list --state owned')

const showCommand = (io: Io): Command =>
  addClientOptions(new Command('show'), ['backends'])
    .description('Show all of one number: its state, who did what to it, each attempt to sync a backend')
    .argument('<number>', 'in any usual form: +14255550100')
    .addHelpText(
      'after',
      `
A number that has left the ledger is shown too, for as long as there is something to show.
${WHERE_IT_IS_DONE}

Examples:
  $ linebook number +14255550100
  $ linebook number +14255550100 --json`,
    )
    .action((number: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const timeline = await client.request<TimelineJson>('GET', operator`/numbers/${number}/timeline`)
        return { json: timeline, text: timelineText(timeline, client.source) }
      }),
    )

/** A number of the ledger as the Operator API lists it. */
interface NumberJson {
  e164: string
  state: NumberState
  numberType: string | null
  countryCode: string | null
  locality: string | null
  resource: string | null
  account: string | null
  services: string[]
  syncStatus: string | null
}

interface ListOptions {
  state?: string[]
  countryCode?: string[]
  numberType?: string[]
  areaCode?: string[]
  locality?: string[]
  prefix?: string
  account?: string
  resource?: string
  service?: string[]
  syncStatus?: string[]
  changedSince?: string
  limit?: number
  csv?: true
}

const listCommand = (io: Io): Command =>
  addClientOptions(new Command('list'))
    .description('List numbers, in their order; filters combine, several values of one mean any of them')
    .addOption(new Option('--state <STATE...>', 'in these states').choices(numberStates))
    .addOption(new Option('--number-type <TYPE...>', 'of these types').choices(numberTypes))
    .option('--country-code <CODE...>', 'of these countries, two letters')
    .option('--area-code <DIGITS...>', 'with these area codes')
    .option('--locality <NAME...>', 'of these places')
    .option('--prefix <DIGITS>', 'that begin like this, e.g. +1425')
    .option('--account <NAME>', 'on this account')
    .option('--resource <NAME>', 'that this resource holds or owns')
    .addOption(new Option('--service <SERVICE...>', 'that these services serve').choices(serviceCodes))
    .addOption(
      new Option('--sync-status <STATUS...>', 'whose backends are so far').choices(['pending', 'synced', 'failed']),
    )
    .option('--changed-since <TIME>', 'changed at this time or later, e.g. 2026-11-01T00:00:00Z')
    .option('--limit <COUNT>', 'no more than this', parseLimit)
    .addOption(new Option('--csv', 'as CSV').conflicts('json'))
    .addHelpText(
      'after',
      `
Examples:
  $ linebook number list --account contoso
  $ linebook number list --state available --country-code US --area-code 425 --limit 20
  $ linebook number list --sync-status failed --csv > failed.csv`,
    )
    .action(({ limit, csv, ...given }: ListOptions, command: Command) =>
      perform(io, command, async (client) => {
        const { state, numberType, countryCode, areaCode, locality, prefix, account, resource, service } = given
        const { syncStatus, changedSince } = given
        const place = { numberType, countryCode, areaCode, locality, prefix }
        const query = { state, ...place, account, resource, service, syncStatus, changedSince }
        const path = operator`/numbers`
        if (csv) {
          const lines = client.download(path, query, 'text/csv')
          await printAll(io, limit === undefined ? lines : firstLines(lines, limit + 1))
          return undefined
        }
        const items = client.list<NumberJson>(path, query)
        return {
          items: limit === undefined ? items : firstOf(items, limit),
          line: numberLine,
          heading: numberLine(HEADINGS),
          none: 'No such number is in the ledger.',
        }
      }),
    )

/** Aligned without knowing what follows: a list may be longer than memory. */
const HEADINGS = {
  e164: 'NUMBER',
  state: 'STATE',
  countryCode: 'COUNTRY',
  numberType: 'TYPE',
  locality: 'LOCALITY',
  owner: 'RESOURCE OR ACCOUNT',
  syncStatus: 'SYNC',
}

function numberLine({
  e164,
  state,
  countryCode,
  numberType,
  locality,
  ...number
}: NumberJson | typeof HEADINGS): string {
  const owner = 'owner' in number ? number.owner : (number.account ?? number.resource)
  const cells = [e164.padEnd(16), state.padEnd(11), (countryCode ?? '-').padEnd(7), (numberType ?? '-').padEnd(10)]
  return [...cells, (locality || '-').padEnd(16), (owner ?? '-').padEnd(24), number.syncStatus ?? '-'].join('  ')
}
