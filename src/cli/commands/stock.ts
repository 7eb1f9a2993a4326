import { Command, InvalidArgumentError, Option } from 'commander'
import { createWriteStream } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SetupError } from '../../errors.js'
import { isE164, numberStates, type NumberState } from '../../ledger/number.js'
import { exportStock } from '../../ledger/stock/export.js'
import { generateStock, MAX_GENERATED } from '../../ledger/stock/generate.js'
import { importStock, type BadLine, type ImportOutcome } from '../../ledger/stock/import.js'
import { reportStock } from '../../ledger/stock/report.js'
import { withBuyers } from '../connection/buyers.js'
import { addSettings, print, STORE_SETTINGS, withStore } from '../connection/settings.js'
import { ProgressBar } from '../text/progress.js'
import { reportTable } from '../text/stock-table.js'
import { poolOption, requirePool } from './stock-pool.js'

export const stockCommand = (): Command =>
  new Command('stock')
    .description('Stock is what can be bought: put numbers in, count them, write them out, take them out of service')
    .addCommand(importCommand())
    .addCommand(generateCommand())
    .addCommand(reportCommand())
    .addCommand(exportCommand())
    .addCommand(retireCommand())
    .addCommand(restoreCommand())
    .addHelpText('after', '\nExample:\n  $ linebook stock import numbers.csv --dry-run')

const importCommand = (): Command =>
  addSettings(new Command('import'), STORE_SETTINGS)
    .description('Enter the numbers of a CSV file, all of them or none')
    .argument('<file>', 'comma-separated, UTF-8, of any size; its first line names the columns')
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
    .action((file: string, options: { skipBad?: true; dryRun?: true; pool?: string }, command: Command) =>
      withStore(command, async (store) => {
        await requirePool(store.db, options.pool)
        const bar = new ProgressBar(process.stderr)
        const wanted = {
          file,
          reason: `stock import ${basename(file)}`,
          skipBad: options.skipBad ?? false,
          dryRun: options.dryRun ?? false,
          pool: options.pool,
        }
        const outcome = await importStock(store, wanted, {
          onBadLine: (bad) => bar.line(badLineText(bad)),
          onRead: (done, size) => bar.update(done, size),
          onStartAgain: () => bar.line('The database has put another transaction first; starting again.'),
        }).finally(() => bar.end())
        tellImport(outcome, wanted)
      }),
    )

const badLineText = ({ line, phoneNumber, reason }: BadLine): string =>
  // What is no number is quoted in the reason; written as it is, it might do things to a terminal.
  `line ${line}: ${isE164(phoneNumber) ? `${phoneNumber}: ` : ''}${reason}`

/** Throws a SetupError when bad lines keep the others out. */
function tellImport({ entered, known, bad, kept }: ImportOutcome, wanted: { skipBad: boolean; dryRun: boolean }): void {
  if (kept) return print(`${entered} entered, ${known} already there, ${bad} bad.`)
  const would = `${entered} would be entered, ${known} already there, ${bad} bad`
  if (wanted.dryRun) print(`Dry run, nothing was changed: ${would}.`)
  if (bad === 0 || wanted.skipBad) return
  throw new SetupError(
    `${wanted.dryRun ? 'Bad lines keep the others out' : `Nothing was entered (${would})`}: ` +
      'mend the bad lines, or leave them out with --skip-bad.',
  )
}

interface GenerateOptions {
  pool?: string
  countryCode?: string
  phoneNumberType?: string
  areaCode?: string
  locality?: string
  administrativeDivision?: string
}

const generateCommand = (): Command =>
  addSettings(new Command('generate'), STORE_SETTINGS)
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
    .action((from: string, count: number, options: GenerateOptions, command: Command) =>
      withStore(command, async (store) => {
        await requirePool(store.db, options.pool)
        const { entered, known } = await generateStock(store, {
          pool: options.pool,
          phoneNumber: from,
          count,
          countryCode: options.countryCode ?? '',
          phoneNumberType: options.phoneNumberType ?? '',
          areaCode: options.areaCode ?? '',
          locality: options.locality ?? '',
          administrativeDivision: options.administrativeDivision ?? '',
        })
        print(`${entered} entered, ${known} already there.`)
      }),
    )

function parseCount(text: string): number {
  const count = /^[0-9]{1,8}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > MAX_GENERATED) throw new InvalidArgumentError(`A whole number from 1 to ${MAX_GENERATED}.`)
  return count
}

const reportCommand = (): Command =>
  addSettings(new Command('report'), STORE_SETTINGS)
    .description('Count numbers by country, type, area code and state')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Numbers whose hold or quarantine is over count as available.

Examples:
  $ linebook stock report
  $ linebook stock report --json`,
    )
    .action((options: { json?: true }, command: Command) =>
      withStore(command, async ({ db, clock }) => {
        const report = await reportStock(db, clock.now())
        print(options.json ? JSON.stringify(report, undefined, 2) : reportTable(report))
      }),
    )

const exportCommand = (): Command =>
  addSettings(new Command('export'), STORE_SETTINGS)
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
    .action((options: { state?: NumberState; output?: string; pool?: string }, command: Command) =>
      withStore(command, async ({ db, clock }) => {
        await requirePool(db, options.pool)
        await writeOut(exportStock(db, clock.now(), options.state, undefined, options.pool), options.output)
      }),
    )

/** Throws a SetupError when the file can't be written. A reader that has had enough is no error. */
async function writeOut(pieces: AsyncIterable<string>, file: string | undefined): Promise<void> {
  try {
    if (file === undefined) await pipeline(Readable.from(pieces), process.stdout, { end: false })
    else await pipeline(Readable.from(pieces), createWriteStream(file))
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (file === undefined && code === 'EPIPE') return
    if (syscall === undefined) throw error
    throw new SetupError(`${file ?? 'Standard output'} can't be written: ${message}`, { cause: error })
  }
}

const retireCommand = (): Command =>
  addSettings(new Command('retire'), STORE_SETTINGS)
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
    .action((numbers: string[], options: { held?: true }, command: Command) =>
      withBuyers(command, async (buyers) => {
        await buyers.retire(numbers, { evenHeld: options.held ?? false })
        print(`${new Set(numbers).size} retired.`)
      }),
    )

const restoreCommand = (): Command =>
  addSettings(new Command('restore'), STORE_SETTINGS)
    .description('Put retired or resting numbers back into stock at once, all of them or none')
    .argument('<numbers...>', 'E.164')
    .addHelpText('after', '\nExample:\n  $ linebook stock restore +14255550100')
    .action((numbers: string[], _options, command: Command) =>
      withBuyers(command, async (buyers) => {
        await buyers.restore(numbers)
        print(`${new Set(numbers).size} restored.`)
      }),
    )
