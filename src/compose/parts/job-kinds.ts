/** The kinds of durable jobs: their checks and their work. */
import { requirePool } from '../../auth/resources.js'
import { beginningOfBegun, chargeMonth } from '../../buyers/wallet/charge-month.js'
import { monthOf } from '../../buyers/wallet/month.js'
import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import { isUnavailable } from '../../db/failures.js'
import { invalidInput, SetupError } from '../../errors.js'
import { STOCK_HEADINGS, type StockLine } from '../../ledger/stock/csv.js'
import { NumbersLocked } from '../../ledger/stock/enter.js'
import { generateStock, MAX_GENERATED, placeOfAll, type GeneratedRange } from '../../ledger/stock/generate.js'
import { importStock, type BadLine } from '../../ledger/stock/import.js'
import { JobFailed, type JobInputs, type JobKind, type JobKindName, type Refusal } from '../../operations/jobs/job.js'

type JobKinds = { [Name in JobKindName]: JobKind<JobInputs[Name]> }

export const jobKinds = (db: Db, clock: Clock): JobKinds => ({
  'stock-import': stockImport(db, clock),
  'stock-generate': stockGenerate(db, clock),
  'wallets-charge-month': chargeMonthKind(db, clock),
})

const stockImport = (db: Db, clock: Clock): JobKinds['stock-import'] => ({
  name: 'stock-import',
  unit: 'bytes',
  resumable: true,
  check: async (input) => {
    await requirePool(db, input.pool)
    return input
  },
  run: async ({ job, input, file, signal, progress, refuse, startAgain, commit }) => {
    const { pool, dryRun = false, skipBad = false, fileName = 'The file' } = input
    const reason = `stock import ${input.fileName ?? job.id}`
    const wanted = { file: file ?? '', name: fileName, reason, skipBad, dryRun, pool, actor: job.createdBy, signal }
    const outcome = await asJobFailure(
      importStock({ db, clock }, wanted, {
        onBadLine: (bad, given) => refuse(refusalOf(bad, given)),
        onRead: progress,
        onStartAgain: startAgain,
        beforeCommit: commit,
      }),
    )
    if (outcome.bad === 0 || skipBad || dryRun) return outcome
    const message = 'Nothing was entered: mend the rows that were refused, or leave them out with skipBad.'
    throw new JobFailed({ code: 'rows-refused', message }, outcome)
  },
})

/** A reason begins with the heading of the wrong value, if one value of the line is wrong. */
function refusalOf({ line, phoneNumber, reason }: BadLine, given?: StockLine): Refusal {
  if (given?.problem !== undefined) return { line, field: null, value: phoneNumber, reason }
  const field = STOCK_HEADINGS.find((heading) => reason.startsWith(`${heading} `)) ?? 'phoneNumber'
  return { line, field, value: given?.[field] ?? phoneNumber, reason }
}

const stockGenerate = (db: Db, clock: Clock): JobKinds['stock-generate'] => ({
  name: 'stock-generate',
  unit: 'numbers',
  resumable: true,
  check: async (input) => {
    await requirePool(db, input.pool)
    if (!Number.isInteger(input.count) || input.count < 1 || input.count > MAX_GENERATED) {
      throw invalidInput(`count is a whole number from 1 to ${MAX_GENERATED}.`, 'count')
    }
    try {
      placeOfAll(rangeOf(input))
    } catch (error) {
      throw error instanceof SetupError ? invalidInput(error.message, 'phoneNumber') : error
    }
    return input
  },
  run: ({ job, input, signal, progress, commit }) => {
    progress(0, input.count)
    const run = { actor: job.createdBy, signal, onProgress: progress, beforeCommit: commit }
    return asJobFailure(generateStock({ db, clock }, rangeOf(input), run))
  },
})

const rangeOf = ({ pool, phoneNumber, count, ...place }: JobInputs['stock-generate']): GeneratedRange => ({
  countryCode: '',
  phoneNumberType: '',
  areaCode: '',
  locality: '',
  administrativeDivision: '',
  ...place,
  pool,
  phoneNumber,
  count,
})

/** A cancelled run keeps what it has charged; another run charges the rest. */
const chargeMonthKind = (db: Db, clock: Clock): JobKinds['wallets-charge-month'] => ({
  name: 'wallets-charge-month',
  unit: 'resources',
  resumable: true,
  // A job that is resumed must not charge another month because one has begun meanwhile.
  check: ({ month = monthOf(clock.now()) }) => {
    beginningOfBegun(month, clock.now())
    return { month }
  },
  run: ({ job, input, signal, progress }) =>
    chargeMonth({ db, clock }, { month: input.month, actor: job.createdBy }, { signal, onProgress: progress }),
})

/** An error that people can fix ends a job with the reason; a lost connection leaves the job to be resumed. */
async function asJobFailure<Outcome>(work: Promise<Outcome>): Promise<Outcome> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    if (error instanceof NumbersLocked) throw new JobFailed({ code: 'numbers-locked', message: error.message })
    if (isUnavailable(error.cause)) throw error.cause
    throw new JobFailed({ code: 'invalid-input', message: error.message })
  }
}
