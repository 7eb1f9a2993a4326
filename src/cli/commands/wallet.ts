import { Command, InvalidArgumentError } from 'commander'
import type { ChargedMonth } from '../../buyers/wallet/charge-month.js'
import { operator, type Client } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { followJob, resultOf, type JobJson } from '../client/jobs.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'
import { chargedText, walletsText, type EntryJson, type WalletJson } from '../text/wallet-text.js'

export const walletCommand = (io: Io): Command =>
  new Command('wallet')
    .description('Wallets are prepaid money of resources, one for each currency; purchases are paid from them')
    .addCommand(showCommand(io))
    .addCommand(creditCommand(io))
    .addCommand(chargeMonthCommand(io))
    .addHelpText(
      'after',
      `
A resource without any wallet buys without being charged, unless LINEBOOK_WALLET_REQUIRED is on. One that has a wallet
can buy only what is priced in a currency that it has a wallet in, for what is there.

Examples:
  $ linebook wallet credit contoso 50 USD
  $ linebook wallet show contoso`,
    )

const USUAL_LINES = 20
const MOST_LINES = 1_000

const showCommand = (io: Io): Command =>
  addClientOptions(new Command('show'))
    .description('Show balances, and the latest lines of the journal')
    .argument('[resource]', 'only this one; balances of all when left out')
    .option(
      '--limit <LINES>',
      `most lines of each journal (default ${USUAL_LINES} of one resource, none of all)`,
      parseLimit,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ linebook wallet show
  $ linebook wallet show contoso --limit 100
  $ linebook wallet show contoso --json`,
    )
    .action((name: string | undefined, { limit }: { limit?: number }, command: Command) =>
      perform(io, command, async (client) => {
        const path = name === undefined ? operator`/wallets` : operator`/resources/${name}/wallets`
        const lines = limit ?? (name === undefined ? 0 : USUAL_LINES)
        const wallets: WalletJson[] = []
        for await (const wallet of client.list<WalletJson>(path)) {
          wallets.push({ ...wallet, entries: lines === 0 ? [] : await entriesOf(client, wallet, lines) })
        }
        return { json: wallets, text: walletsText(wallets) }
      }),
    )

async function entriesOf(client: Client, { resource, currency }: WalletJson, limit: number): Promise<EntryJson[]> {
  const path = operator`/resources/${resource}/wallets/${currency}/entries`
  const { items } = await client.request<{ items: EntryJson[] }>('GET', path, { query: { limit } })
  return items
}

function parseLimit(text: string): number {
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : Infinity
  if (limit > MOST_LINES) throw new InvalidArgumentError(`A whole number from 0 to ${MOST_LINES}.`)
  return limit
}

const creditCommand = (io: Io): Command =>
  addClientOptions(new Command('credit'))
    .description('Put money into a wallet, which is made if it is not there yet')
    .argument('<resource>', 'the resource')
    .argument('<amount>', 'up to 4 digits after the point; negative corrects, 0 makes an empty wallet')
    .argument('<currency>', 'ISO 4217, as prices have it')
    .option('--note <TEXT>', 'what the journal says about it', 'credit')
    .addHelpText(
      'after',
      `
A correction can't take more than there is.

Examples:
  $ linebook wallet credit contoso 50 USD --note "invoice 2026-117"
  $ linebook wallet credit contoso -12.50 USD --note "credited by mistake"
  $ linebook wallet credit contoso 0 USD             a purchase then fails with NotEnoughCredit`,
    )
    .action((name: string, amount: string, currency: string, { note }: { note: string }, command: Command) =>
      perform(io, command, async (client) => {
        const body = { amount, currency, note }
        const wallet = await client.request<WalletJson>('POST', operator`/resources/${name}/wallets`, { body })
        return { json: wallet, text: `${name} has ${wallet.balance} ${wallet.currency}.` }
      }),
    )

const chargeMonthCommand = (io: Io): Command =>
  addClientOptions(new Command('charge-month'))
    .description('Charge resources for a month of the numbers that they own')
    .argument('[month]', 'e.g. 2026-11, in UTC; the present one when left out')
    .addHelpText(
      'after',
      `
Charged are the numbers that a resource owns now and has owned since before the month began; the month in which a number
was purchased was paid for by the purchase. Each wallet is charged once for a month, however often this is run, so a run
that was interrupted is mended by running it again. What is owned is owed: a wallet may end below zero, and then nothing
can be purchased from it until it is filled. Resources without a wallet in a price's currency are listed and not charged.

Examples:
  $ linebook wallet charge-month                     on the first of each month, e.g. by cron
  $ linebook wallet charge-month 2026-11 --json`,
    )
    .action((month: string | undefined, _options, command: Command) =>
      perform(io, command, async (client) => {
        const job = await client.request<JobJson>('POST', operator`/wallets:chargeMonth`, { body: { month } })
        const charged = resultOf(await followJob(io, client, job)) as ChargedMonth
        return { json: charged, text: chargedText(charged) }
      }),
    )
