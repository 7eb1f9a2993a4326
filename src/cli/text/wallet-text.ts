/** Wallets and monthly charges as people read them. */
import type { ChargedMonth } from '../../buyers/wallet/charge-month.js'
import { counted, instant, printable } from './words.js'

/** As the Operator API shows it, with lines of its journal. */
export interface WalletJson {
  resource: string
  currency: string
  balance: string
  entries: EntryJson[]
}

export interface EntryJson {
  id: number
  at: string
  kind: string
  amount: string
  balance: string
  numbers: number
  actor: string
  reference: string
}

export const walletsText = (wallets: readonly WalletJson[]): string =>
  wallets.length === 0
    ? 'There is no wallet.'
    : wallets
        .flatMap((wallet) => [`${wallet.resource}: ${wallet.balance} ${wallet.currency}`, ...journalLines(wallet)])
        .join('\n')

const HEADINGS = ['WHEN', 'WHAT', 'AMOUNT', 'BALANCE', 'NUMBERS', 'WHO', 'ABOUT']
/** Columns of figures, aligned to the right. */
const FIGURES = ['AMOUNT', 'BALANCE', 'NUMBERS']

function journalLines({ entries }: WalletJson): string[] {
  if (entries.length === 0) return []
  const rows = entries.map(({ at, kind, amount, balance, numbers, actor, reference }) => [
    instant(at),
    kind,
    amount.startsWith('-') ? amount : `+${amount}`,
    balance,
    numbers === 0 ? '' : String(numbers),
    actor,
    printable(reference),
  ])
  const table = [HEADINGS, ...rows]
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)))
  return table.map((row) => {
    const cells = row.map((cell, column) =>
      FIGURES.includes(HEADINGS[column] ?? '') ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    )
    return `  ${cells.join('  ').trimEnd()}`
  })
}

export function chargedText({ month, charged, chargedBefore, belowZero, withoutWallet }: ChargedMonth): string {
  const sums = charged.map(
    ({ currency, wallets, numbers, amount }) =>
      `  ${amount} ${currency} from ${counted(wallets, 'wallet')} for ${counted(numbers, 'number')}`,
  )
  return [
    sums.length === 0 ? `${month}: nothing was charged.` : `${month} charged:`,
    ...sums,
    ...(chargedBefore > 0 ? [`Charged before, and left alone: ${counted(chargedBefore, 'wallet')}.`] : []),
    ...section(
      'Below zero now:',
      belowZero.map(({ resourceName, currency, balance }) => `${resourceName}: ${balance} ${currency}`),
    ),
    ...section(
      'Not charged, for there is no wallet in the currency:',
      withoutWallet.map(
        ({ resourceName, currency, numbers, amount }) =>
          `${resourceName}: ${amount} ${currency} for ${counted(numbers, 'number')}`,
      ),
    ),
  ].join('\n')
}

const section = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [heading, ...lines.map((line) => `  ${line}`)]
