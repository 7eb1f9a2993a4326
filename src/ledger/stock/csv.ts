/** Reads stock from comma-separated values, line by line whatever the size of the file, and writes it. */
import { CsvError, Parser } from 'csv-parse'
import { open, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { SetupError } from '../../errors.js'
import { shown, type GivenNumber } from './derive.js'

/** The headings, in the order in which they are written. Only the first is needed. */
export const STOCK_HEADINGS = [
  'phoneNumber',
  'countryCode',
  'phoneNumberType',
  'areaCode',
  'locality',
  'administrativeDivision',
] as const satisfies (keyof GivenNumber)[]

export interface StockLine extends GivenNumber {
  /** Where it begins in the file, from 1. */
  line: number
  /** Set when the line itself is malformed; its values must not be used then. */
  problem: string | undefined
}

/** Receives how far a file has been read. `size` is 0 for a source without one, e.g. a pipe. */
export type ReadListener = (bytesRead: number, size: number) => void

/** Far above any good line: the most that an unclosed quote may swallow before it is noticed. */
const MAX_RECORD_CHARS = 10_000

/**
 * Reads a file in batches of up to `batchSize` lines. Empty lines are skipped.
 *
 * Throws a SetupError that names the file when it can't be read, has no usable headings, or stops being CSV; earlier
 * batches have been yielded by then.
 * @param name what errors call the file
 */
export async function* readStockFile(
  path: string,
  batchSize: number,
  onRead: ReadListener = () => {},
  name = path,
): AsyncGenerator<StockLine[]> {
  const file = await openFile(path, name)
  const parser = new LineParser()
  try {
    const { size } = await file.stat()
    const source = file.createReadStream({ autoClose: false })
    pipeline(source, parser, () => {}) // the parser emits the errors
    let columns: Columns | undefined
    let batch: StockLine[] = []
    for await (const record of parser as AsyncIterable<CsvRecord>) {
      const { line, cells } = record
      if (cells.length === 1 && cells[0] === '') continue
      if (columns === undefined) {
        columns = toColumns(name, cells)
        continue
      }
      batch.push(toStockLine(line, cells, columns))
      if (batch.length < batchSize) continue
      onRead(source.bytesRead, size)
      yield batch
      batch = []
    }
    if (columns === undefined) {
      throw new SetupError(`${name} is empty; its first line names its columns: ${STOCK_HEADINGS.join(',')}.`)
    }
    onRead(source.bytesRead, size)
    if (batch.length > 0) yield batch
  } catch (error) {
    throw error instanceof CsvError ? notCsv(name, parser.nextLine, error) : readError(name, error)
  } finally {
    await file.close()
  }
}

/** A line that `readStockFile` reads as `values`. */
export const csvLine = (values: readonly string[]): string =>
  `${values.map((value) => (/[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\n`

interface CsvRecord {
  line: number
  cells: string[]
}

/**
 * Counts the line on which each record begins. The parser's own count (`info: true`) doubles the reading time, counts a
 * two-character line break inside quotes twice, and doesn't know where an unclosed quote was opened.
 */
class LineParser extends Parser {
  /** The line on which the record being read begins. */
  nextLine = 1

  constructor() {
    super({
      bom: true,
      delimiter: ',',
      // Both kinds of line end in one file, as editors leave them.
      record_delimiter: ['\r\n', '\n', '\r'],
      // The importer reports a line that has too few or too many values; reading goes on after it.
      relax_column_count: true,
      max_record_size: MAX_RECORD_CHARS,
      trim: true,
    })
  }

  override push(cells: string[] | null): boolean {
    if (cells === null) return super.push(null)
    const line = this.nextLine
    this.nextLine += 1
    for (const cell of cells) if (/[\r\n]/.test(cell)) this.nextLine += cell.split(/\r\n|\r|\n/).length - 1
    return super.push({ line, cells } satisfies CsvRecord)
  }
}

/** The index of each heading's column; -1 when the file doesn't have it. */
type Columns = Record<(typeof STOCK_HEADINGS)[number], number> & { count: number }

function toColumns(name: string, cells: string[]): Columns {
  const known = `The headings are ${STOCK_HEADINGS.join(', ')}, separated by commas`
  const isKnown = (cell: string) => (STOCK_HEADINGS as readonly string[]).includes(cell)
  const unknown = cells.filter((cell) => !isKnown(cell))
  if (unknown.length > 0) {
    throw new SetupError(`${name}: no such heading: ${unknown.map(shown).join(', ')}. ${known}.`)
  }
  const twice = cells.find((cell, index) => cells.indexOf(cell) !== index)
  if (twice !== undefined) throw new SetupError(`${name}: the heading ${twice} is there twice.`)
  if (!cells.includes('phoneNumber')) {
    throw new SetupError(`${name}: the heading phoneNumber is missing. ${known}; all but phoneNumber may be left out.`)
  }
  const positions = Object.fromEntries(STOCK_HEADINGS.map((heading) => [heading, cells.indexOf(heading)]))
  return { ...positions, count: cells.length } as Columns
}

function toStockLine(line: number, cells: string[], columns: Columns): StockLine {
  const problem =
    cells.length === columns.count
      ? undefined
      : `the line has ${cells.length} values and the first line has ${columns.count} headings`
  return {
    line,
    problem,
    phoneNumber: cells[columns.phoneNumber] ?? '',
    countryCode: cells[columns.countryCode] ?? '',
    phoneNumberType: cells[columns.phoneNumberType] ?? '',
    areaCode: cells[columns.areaCode] ?? '',
    locality: cells[columns.locality] ?? '',
    administrativeDivision: cells[columns.administrativeDivision] ?? '',
  }
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (error) {
    throw readError(name, error)
  }
}

function readError(name: string, error: unknown): unknown {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOENT':
      return new SetupError(`${name}: there is no such file.`, { cause: error })
    case 'EISDIR':
      return new SetupError(`${name} is a folder, not a file.`, { cause: error })
    case 'EACCES':
      return new SetupError(`${name} can't be read: its permissions forbid it.`, { cause: error })
    default:
      return error
  }
}

function notCsv(name: string, line: number, error: CsvError): SetupError {
  const why =
    error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a quote opened on it is never closed'
      : error.code === 'CSV_MAX_RECORD_SIZE'
        ? `it goes on for more than ${MAX_RECORD_CHARS} characters, maybe for want of a closing quote`
        : 'a quote stands where none can; a value with quotes in it is written "so ""quoted"" here"'
  return new SetupError(`${name}: line ${line}: ${why}. Nothing was entered.`, { cause: error })
}
