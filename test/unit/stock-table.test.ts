import { expect, it } from 'vitest'
import { reportTable } from '../../src/cli/text/stock-table.js'

const seattle = {
  pool: null,
  countryCode: 'US',
  numberType: 'geographic',
  areaCode: '206',
  states: { available: 98, held: 2 },
} as const

it('a report of the stock is an aligned table with a total', () => {
  expect(reportTable({ at: '', stock: [seattle], neverStock: {} })).toBe(
    [
      'COUNTRY  TYPE        AREA  AVAILABLE  HELD  OWNED  ASSIGNED  QUARANTINED  RETIRED  TOTAL',
      'US       geographic  206          98     2      0         0            0        0    100',
      'TOTAL                             98     2      0         0            0        0    100',
    ].join('\n'),
  )
})

it('numbers that never were stock have a line of their own, and count in the total', () => {
  const lines = reportTable({ at: '', stock: [seattle], neverStock: { assigned: 7 } }).split('\n')
  expect(lines[2]).toMatch(/^- +never stock +- +0 +0 +0 +7 +0 +0 +7$/)
  expect(lines[3]).toMatch(/^TOTAL +98 +2 +0 +7 +0 +0 +107$/)
})

it('an empty ledger has a total of nothing', () => {
  expect(reportTable({ at: '', stock: [], neverStock: {} })).toMatch(/\nTOTAL .* 0$/)
})
