import { requireResource } from '../../buyers/terms.js'
import { amountOf, formatAmount } from '../../buyers/wallet/amount.js'
import { listAllWallets, listEntries, listWallets } from '../../buyers/wallet/wallet-store.js'
import { credit } from '../../buyers/wallets.js'
import { createJob } from '../../operations/jobs/commands.js'
import { BASE_PATH } from '../contract/operation.js'
import * as contract from '../contract/wallets.js'
import type { OperatorDeps } from '../deps.js'
import { pageOf } from '../wire/list.js'
import { list, param, route, type Route } from '../wire/route.js'

export function walletRoutes({ db, clock, jobs }: OperatorDeps): Route[] {
  const walletView = (wallet: { resourceName: string; currency: string; balance: string }) => ({
    resource: wallet.resourceName,
    currency: wallet.currency,
    balance: normal(wallet.balance),
  })
  const columns = ['resource', 'currency', 'balance']
  return [
    route(contract.listWallets, async () => {
      const wallets = await listAllWallets(db)
      return list({
        page: async (request) =>
          pageOf(wallets, request, ({ resourceName, currency }) => `${resourceName} ${currency}`),
        view: walletView,
        columns,
      })
    }),
    route(contract.listResourceWallets, async (context) => {
      const resourceName = param(context, 'name')
      const found = await listWallets(db, await requireResource(db, resourceName))
      const wallets = found.map((wallet) => ({ ...wallet, resourceName }))
      return list({
        page: async (request) => pageOf(wallets, request, ({ currency }) => currency),
        view: walletView,
        columns,
      })
    }),
    route(contract.creditWallet, (context) =>
      context.commit(async (joined) => {
        const { amount, currency, note = 'credit' } = context.body
        const resource = param(context, 'name')
        const wanted = { amount, currency, note, actor: context.who.actor }
        return { body: { resource, ...(await credit({ db: joined, clock }, resource, wanted)) } }
      }),
    ),
    route(contract.listEntries, async (context) => {
      const resourceId = await requireResource(db, param(context, 'name'))
      const key = { resourceId, currency: param(context, 'currency').toUpperCase() }
      return list({
        page: async ({ limit, after }) => {
          const [before] = after ?? []
          const entries = await listEntries(db, key, limit + 1, typeof before === 'number' ? before : undefined)
          const items = entries.slice(0, limit)
          const last = items.at(-1)
          return { items, next: entries.length > limit && last ? [last.id] : null }
        },
        view: ({ at, amount, balance, ...entry }) => ({
          ...entry,
          at: at.toISOString(),
          amount: normal(amount),
          balance: normal(balance),
        }),
        columns: ['id', 'at', 'kind', 'amount', 'balance', 'numbers', 'actor', 'reference'],
      })
    }),
    route(contract.chargeMonth, ({ body: { month }, who, commit }) =>
      commit(
        async (joined) => {
          const input = month === undefined ? {} : { month }
          const { id } = await createJob(
            { ...jobs, db: joined },
            { kind: 'wallets-charge-month', input, createdBy: who.actor },
          )
          return { headers: { Location: `${BASE_PATH}/jobs/${id}` }, body: { id } }
        },
        () => jobs.nudge(),
      ),
    ),
  ]
}

/** As people write it; the database keeps four digits after the point. */
const normal = (amount: string): string => formatAmount(amountOf(amount))
