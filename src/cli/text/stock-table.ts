import { numberStates } from '../../ledger/number.js'
import type { StateCounts } from '../../ledger/stock/report.js'

/** As the Operator API reports it. */
export interface StockJson {
  at: string
  stock: {
    /** Null: the shared one. */
    pool: string | null
    countryCode: string
    numberType: string
    areaCode: string
    states: StateCounts
  }[]
  neverStock: StateCounts
}

/** A report of the stock as an aligned table. */
export function reportTable({ stock, neverStock }: StockJson): string {
  const everything = [...stock.map(({ states }) => states), neverStock]
  // Whose stock it is stands there where some is not everybody's.
  const hasPools = stock.some(({ pool }) => pool !== null)
  const first = (cell: string): string[] => (hasPools ? [cell] : [])
  const rows = [
    [...first('POOL'), 'COUNTRY', 'TYPE', 'AREA', ...numberStates.map((state) => state.toUpperCase()), 'TOTAL'],
    ...stock.map((row) => [
      ...first(row.pool ?? 'shared'),
      row.countryCode,
      row.numberType,
      row.areaCode,
      ...countCells(row.states),
    ]),
  ]
  if (totalOf(neverStock) > 0) rows.push([...first('-'), '-', 'never stock', '-', ...countCells(neverStock)])
  rows.push(['TOTAL', ...first(''), '', '', ...countCells(sumOf(everything))])
  return alignColumns(rows, NAME_COLUMNS + first('').length)
}

const countCells = (states: StateCounts): string[] => [
  ...numberStates.map((state) => String(states[state] ?? 0)),
  String(totalOf(states)),
]

const totalOf = (states: StateCounts): number => numberStates.reduce((sum, state) => sum + (states[state] ?? 0), 0)

const sumOf = (all: StateCounts[]): StateCounts =>
  Object.fromEntries(numberStates.map((state) => [state, all.reduce((sum, states) => sum + (states[state] ?? 0), 0)]))

const NAME_COLUMNS = 3

/** The first columns, which are names, to the left; the others, numbers, to the right. */
export function alignColumns(rows: string[][], nameColumns = NAME_COLUMNS): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < nameColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
