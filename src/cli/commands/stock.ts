import { Command, InvalidArgumentError, Option } from 'commander'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SetupError } from '../../errors.js'
import { isE164, numberStates, type NumberState } from '../../ledger/number.js'
import { MAX_GENERATED } from '../../ledger/stock/generate.js'
import type { ImportOutcome } from '../../ledger/stock/import.js'
import type { Refusal } from '../../operations/jobs/job.js'
import { operator, type Client } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { followJob, resultOf, type JobJson } from '../client/jobs.js'
import { perform, printAll, type Shown } from '../client/perform.js'
import type { Io } from '../io.js'
import { reportTable, type StockJson } from '../text/stock-table.js'

export const stockCommand = (io: Io): Command =>
  new Command('stock')
    .description('Stock is what can be bought: put numbers in, count them, write them out, take them out of service')
    .addCommand(importCommand(io))
    .addCommand(generateCommand(io))
    .addCommand(reportCommand(io))
    .addCommand(exportCommand(io))
    .addCommand(retireCommand(io))
    .addCommand(restoreCommand(io))
    .addHelpText('after', '\nExample:\n  $ linebook stock import numbers.csv --dry-run')

/** A resource may have a stock to itself, which has its name; emulators make such. */
const poolOption = (what: string): Option =>
  new Option('--pool <RESOURCE>', `${what} the stock that this resource has to itself, not the shared one`)

const importCommand = (io: Io): Command =>
  addClientOptions(new Command('import'))
    .description('Enter the numbers of a CSV file, all of them or none')
    .argument('<file>', 'comma-separated, UTF-8, of any size; its first line names the columns; - for standard input')
    .option('--skip-bad', 'enter the good lines although others are bad')
    .option('--dry-run', 'do everything, then undo it: what would be entered, and which lines are bad')
    .addOption(poolOption('enter them into'))
    .addHelpText(
      'after',
      `
Columns, in any order; all but the first may be left out, or left empty on a line:
  phoneNumber              E.164: +14255550100
  countryCode              two letters: US
  phoneNumberType          geographic, tollFree or mobile
  areaCode                 what follows the calling code, 1 to 8 digits: 425
  locality                 Bellevue
  administrativeDivision   WA
Country, type and area code are derived where the number makes them certain; where it doesn't, the line is bad.
Numbers that are there already stay as they are, so a file can be imported again.

Examples:
  $ linebook stock import numbers.csv --dry-run
  $ linebook stock import numbers.csv
  $ linebook stock import numbers.csv --skip-bad 2> bad-lines.txt`,
    )
    .action((file: string, wanted: ImportOptions, command: Command) =>
      perform(io, command, async (client) => {
        const { skipBad = false, dryRun = false, pool } = wanted
        const query = { skipBad, dryRun, pool, fileName: file === '-' ? undefined : basename(file) }
        const path = operator`/stock/imports`
        const upload = file === '-' ? Readable.from(io.stdin) : await openFile(file)
        // A server that refuses the file leaves it unread.
        const job = await client
          .upload<JobJson>(path, upload, { type: 'text/csv', query })
          .finally(() => upload.destroy())
        return importShown(io, client, await followJob(io, client, job), { skipBad, dryRun })
      }),
    )

interface ImportOptions {
  skipBad?: boolean
  dryRun?: boolean
  pool?: string
}

/** Throws a SetupError, before anything is sent. */
async function openFile(file: string): Promise<Readable> {
  const handle = await open(file).catch((error: unknown) => {
    throw new SetupError(`"${file}" can't be read: ${(error as Error).message}`, { cause: error })
  })
  if (!(await handle.stat()).isDirectory()) return handle.createReadStream()
  await handle.close()
  throw new SetupError(`"${file}" is a folder; give the CSV file.`)
}

/** Writes out the bad lines. Throws a SetupError when they keep the others out. */
async function importShown(io: Io, client: Client, job: JobJson, { skipBad, dryRun }: ImportOptions): Promise<Shown> {
  for await (const refusal of client.list<Refusal>(operator`/jobs/${job.id}/refusals`)) {
    io.stderr.write(`${badLineText(refusal)}\n`)
  }
  const isKeptOut = job.error?.code === ROWS_REFUSED
  const outcome = isKeptOut ? (job.result as ImportOutcome) : (resultOf(job) as ImportOutcome)
  const { entered, known, bad, kept } = outcome
  if (kept) return { json: outcome, text: `${entered} entered, ${known} already there, ${bad} bad.` }
  const would = `${entered} would be entered, ${known} already there, ${bad} bad`
  if (bad > 0 && !skipBad) {
    throw new SetupError(
      `${dryRun ? `Dry run, nothing was changed: ${would}. Bad lines keep the others out` : `Nothing was entered (${would})`}: ` +
        'mend the bad lines, or leave them out with --skip-bad.',
    )
  }
  return { json: outcome, text: `Dry run, nothing was changed: ${would}.` }
}

/** The code of a job that failed for bad lines alone. */
const ROWS_REFUSED = 'rows-refused'

const badLineText = ({ line, field, value, reason }: Refusal): string =>
  // A value that is not a number is quoted in the reason; written as it is, it might do things to a terminal.
  `line ${line}: ${field === 'phoneNumber' && isE164(value) ? `${value}: ` : ''}${reason}`

interface GenerateOptions {
  pool?: string
  countryCode?: string
  phoneNumberType?: string
  areaCode?: string
  locality?: string
  administrativeDivision?: string
}

const generateCommand = (io: Io): Command =>
  addClientOptions(new Command('generate'))
    .description('Enter consecutive numbers, all of them or none')
    .argument('<from>', 'the first number, E.164')
    .argument('<count>', `how many, up to ${MAX_GENERATED}`, parseCount)
    .option('--country-code <CODE>', 'two letters; derived from the number where that is certain')
    .option('--phone-number-type <TYPE>', 'geographic, tollFree or mobile; derived likewise')
    .option('--area-code <DIGITS>', 'what follows the calling code; derived likewise')
    .option('--locality <NAME>', 'none when left out')
    .option('--administrative-division <NAME>', 'none when left out')
    .addOption(poolOption('enter them into'))
    .addHelpText(
      'after',
      `
Examples:
  $ linebook stock generate +14255550100 100 --locality Bellevue --administrative-division WA
  $ linebook stock generate +9991000000 10000 --country-code US --phone-number-type geographic --area-code 100`,
    )
    .action((from: string, count: number, place: GenerateOptions, command: Command) =>
      perform(io, command, async (client) => {
        const { pool, countryCode, phoneNumberType, areaCode, locality, administrativeDivision } = place
        const parts = { pool, countryCode, phoneNumberType, areaCode, locality, administrativeDivision }
        const body = { phoneNumber: from, count, ...parts }
        const job = await client.request<JobJson>('POST', operator`/stock/generate`, { body })
        const outcome = resultOf(await followJob(io, client, job)) as Pick<ImportOutcome, 'entered' | 'known'>
        return { json: outcome, text: `${outcome.entered} entered, ${outcome.known} already there.` }
      }),
    )

function parseCount(text: string): number {
  const count = /^[0-9]{1,8}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > MAX_GENERATED) throw new InvalidArgumentError(`A whole number from 1 to ${MAX_GENERATED}.`)
  return count
}

const reportCommand = (io: Io): Command =>
  addClientOptions(new Command('report'))
    .description('Count numbers by country, type, area code and state')
    .addHelpText(
      'after',
      `
Numbers whose hold or quarantine is over count as available.

Examples:
  $ linebook stock report
  $ linebook stock report --json`,
    )
    .action((_options, command: Command) =>
      perform(io, command, async (client) => {
        const report = await client.request<StockJson>('GET', operator`/stock`)
        return { json: report, text: reportTable(report) }
      }),
    )

const exportCommand = (io: Io): Command =>
  addClientOptions(new Command('export'))
    .description('Write the stock as CSV, as "stock import" takes it')
    .addOption(new Option('--state <STATE>', 'only numbers in this state').choices(numberStates))
    .option('--output <FILE>', 'write to a file, replacing it; without it to standard output')
    .addOption(poolOption('write'))
    .addHelpText(
      'after',
      `
Numbers on accounts that never were stock are left out.

Examples:
  $ linebook stock export --output stock.csv
  $ linebook stock export --state available | head`,
    )
    .action(({ state, output, pool, json }: ExportOptions, command: Command) => {
      if (json) {
        throw new SetupError('--json: an export is CSV, for an import to take; for JSON: linebook number list --json')
      }
      return perform(io, command, async (client) => {
        await writeOut(io, client.download(operator`/stock/export`, { state, pool }, 'text/csv'), output)
        return undefined
      })
    })

interface ExportOptions {
  state?: NumberState
  output?: string
  pool?: string
  json?: true
}

/** Throws a SetupError when the file can't be written; what there was in it then is gone. */
async function writeOut(io: Io, pieces: AsyncIterable<Uint8Array>, file: string | undefined): Promise<void> {
  if (file === undefined) return printAll(io, pieces)
  try {
    await pipeline(Readable.from(pieces), createWriteStream(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new SetupError(`${file} can't be written: ${(error as Error).message}`, { cause: error })
  }
}

const retireCommand = (io: Io): Command =>
  addClientOptions(new Command('retire'))
    .description('Take numbers out of service that are available or resting, all of them or none')
    .argument('<numbers...>', 'E.164')
    .option('--held', 'also those that a buyer has on hold')
    .addHelpText(
      'after',
      `
A buyer who purchases a hold that has lost numbers gets the rest of it, and pays for the rest alone: the purchase fails
with NumbersPartiallyAcquired, or with AllNumbersNotAcquired when nothing is left.

Examples:
  $ linebook stock retire +14255550100 +14255550101
  $ linebook stock retire --held +14255550102`,
    )
    .action((phoneNumbers: string[], { held = false }: { held?: boolean }, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('POST', operator`/stock/retire`, { body: { phoneNumbers, held } })
        return { json, text: `${new Set(phoneNumbers).size} retired.` }
      }),
    )

const restoreCommand = (io: Io): Command =>
  addClientOptions(new Command('restore'))
    .description('Put retired or resting numbers back into stock at once, all of them or none')
    .argument('<numbers...>', 'E.164')
    .addHelpText('after', '\nExample:\n  $ linebook stock restore +14255550100')
    .action((phoneNumbers: string[], _options, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('POST', operator`/stock/restore`, { body: { phoneNumbers } })
        return { json, text: `${new Set(phoneNumbers).size} restored.` }
      }),
    )
