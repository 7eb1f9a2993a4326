/** Accounts: translates between the wire and the commands. */
import type { Account, AccountWithStatus } from '../../accounts/account.js'
import { countAccounts, listAccounts } from '../../accounts/account-store.js'
import { deleteAccount } from '../../accounts/commands/delete-account.js'
import { putAccount, type AccountWritten } from '../../accounts/commands/put-account.js'
import {
  getAccount,
  getWrittenAccount,
  subdomainStatuses,
  withSubdomains,
  type ShownAccount,
} from '../../accounts/commands/read.js'
import { activeServices } from '../../accounts/deps.js'
import type { Tx } from '../../db/db.js'
import type { Carrying } from '../../http/repeatable/once.js'
import type { Response } from '../../http/repeatable/store.js'
import { readAccount } from '../body/read-body.js'
import * as contract from '../contract/operations.js'
import { readFlag } from '../contract/parameters.js'
import type { Version2024 } from '../contract/versions.js'
import { accountFields } from '../filter/account-fields.js'
import { compileFilter } from '../filter/compile.js'
import { shownAccount, storedAccount } from '../wire/etag.js'
import { cutPage, pageLimit, readListQuery, type ListQuery, type Page } from '../wire/list.js'
import {
  bodyOf,
  deferred,
  noContent,
  pageResponse,
  param,
  preconditionOf,
  readResponse,
  resource,
  type Context,
  type RouteDeps,
  type Routes,
} from '../wire/route.js'
import { accountView } from '../wire/views.js'

export const accountRoutes = (deps: RouteDeps): Routes =>
  new Map([
    [
      contract.listAccounts,
      async (context) => {
        const query = readListQuery(context.query, accountFields(new Map()))
        const { page, total } = await pageOfAccounts(deps, query)
        return pageResponse(context, query, page, (shown) => view(context, shown), total)
      },
    ],
    [
      contract.getAccount,
      async (context) => {
        const shown = await getAccount(deps, param(context, 'accountName'))
        return readResponse(context, shownAccount(shown.account, shown.subdomain), () => view(context, shown))
      },
    ],
    [
      contract.createOrReplaceAccount,
      (context, carrying) => {
        const name = param(context, 'accountName')
        const read = deferred(() => readAccount(bodyOf(deps, context), name))
        return carryOutAccountWrite(deps, carrying, {
          name,
          write: (tx) =>
            putAccount(deps, tx, context.by, { name, precondition: preconditionOf(context, storedAccount), read }),
          response: (shown, { created }) =>
            resource(created ? 201 : 200, view(context, shown), shownAccount(shown.account, shown.subdomain)),
        })
      },
    ],
    [
      contract.deleteAccount,
      (context, carrying) => {
        const deletion = {
          name: param(context, 'accountName'),
          deleteNumbers: readFlag('deleteNumbers', context.query.get('deletenumbers')),
          precondition: preconditionOf(context, storedAccount),
        }
        return carryOutAccountWrite(deps, carrying, {
          name: undefined,
          write: (tx) => deleteAccount(deps, tx, context.by, deletion),
          response: () => noContent,
        })
      },
    ],
  ])

const view = ({ version }: Context, { account, subdomain }: ShownAccount) =>
  accountView(account, subdomain, version as Version2024)

/** A page of accounts with the status of their subdomains, and the number of matches if requested. */
export async function pageOfAccounts(
  deps: RouteDeps,
  query: ListQuery,
): Promise<{ page: Page<ShownAccount>; total: number | undefined }> {
  const { db } = deps
  const active = activeServices(deps)
  // The zone is only asked about all accounts if a filter uses that.
  const asksZone = query.filterText?.includes('subdomainStatus') === true
  const fields = accountFields(asksZone ? await subdomainStatuses(deps) : new Map())
  const filter = query.filter && compileFilter(query.filter, fields)
  const { skip, after } = query
  const rows = await listAccounts(db, active, { filter, after, skip, limit: pageLimit(query) })
  const page = cutPage(query, rows, ({ name }) => name)
  return {
    page: { ...page, items: await withSubdomains(deps, page.items) },
    total: query.count ? await countAccounts(db, active, filter) : undefined,
  }
}

type Written = Pick<AccountWritten, 'toSync' | 'labels'>

interface AccountPutting<Outcome extends Written> {
  name: string
  write(tx: Tx): Promise<Outcome>
  response(shown: ShownAccount, written: Outcome): Response
}

interface AccountDeletion {
  /** A deleted account is not shown. */
  name: undefined
  write(tx: Tx): Promise<Written>
  response(): Response
}

/**
 * Writes an account and updates the zone at once, so that the response shows the zone's status (contract 7). If that
 * fails, the response shows it too, and the reconciler retries. Other backends follow by themselves.
 */
export async function carryOutAccountWrite<Outcome extends Written>(
  deps: RouteDeps,
  { commit, amend }: Carrying,
  change: AccountPutting<Outcome> | AccountDeletion,
): Promise<Response> {
  let after:
    { written: Written; shown?: { account: AccountWithStatus; response(shown: ShownAccount): Response } } | undefined
  const committed = await commit(async (tx) => {
    if (change.name === undefined) {
      after = { written: await change.write(tx) }
      return change.response()
    }
    const written = await change.write(tx)
    const shown = await getWrittenAccount(deps, tx, change.name)
    after = { written, shown: { account: shown.account, response: (now) => change.response(now, written) } }
    return { ...change.response(shown, written), provisional: asksZone(shown) }
  })
  if (after === undefined) return committed
  const { written, shown } = after
  deps.nudge(written.toSync)
  if (written.labels.length > 0) await deps.reconcileZoneNow(written.labels)
  if (shown === undefined || !asksZone(shown)) return committed
  // The account as it was written here: another request may have changed or deleted it meanwhile.
  const [now] = await withSubdomains(deps, [shown.account])
  const amended = shown.response(now as ShownAccount)
  await amend(amended)
  return amended
}

/** Whether showing an account requires asking the zone. */
const asksZone = ({ account }: { account: Account }): boolean => account.services.teamsDirectRouting !== undefined
