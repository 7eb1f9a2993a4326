/** Numbers: translates between the wire and the commands. */
import type { Account } from '../../accounts/account.js'
import type { AccountNumber, NumberToPut } from '../../accounts/account-number.js'
import { findAccount } from '../../accounts/account-store.js'
import { deleteNumber, deleteNumbers } from '../../accounts/commands/delete-numbers.js'
import { accountNotFound } from '../../accounts/commands/find.js'
import { putNumbers } from '../../accounts/commands/put-numbers.js'
import { getNumber, readNumber } from '../../accounts/commands/read.js'
import { activeServices } from '../../accounts/deps.js'
import { countNumbers, listNumbers, readNumbers } from '../../accounts/number-store.js'
import type { Tx } from '../../db/db.js'
import type { Carrying } from '../../http/repeatable/once.js'
import type { Response } from '../../http/repeatable/store.js'
import type { SyncService } from '../../sync/sync.js'
import { targetOf } from '../body/read-batch.js'
import { readBatch, readIdentifiers, readNumber as readNumberBody } from '../body/read-body.js'
import * as contract from '../contract/operations.js'
import type { Version2024 } from '../contract/versions.js'
import { compileFilter } from '../filter/compile.js'
import { numberFields } from '../filter/number-fields.js'
import { shownNumber, storedNumber } from '../wire/etag.js'
import { cutPage, pageLimit, readListQuery, type ListQuery, type Page } from '../wire/list.js'
import {
  bodyOf,
  deferred,
  json,
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
import { numberView } from '../wire/views.js'

export function numberRoutes(deps: RouteDeps): Routes {
  const fields = fieldsOf(deps)
  const view = ({ version }: Context, number: AccountNumber) =>
    numberView(number, version as Version2024, {
      backends: activeServices(deps),
      initialAssignmentStatus: deps.initialAssignmentStatus,
    })
  return new Map([
    [
      contract.listAccountNumbers,
      async (context) => {
        const query = readListQuery(context.query, fields)
        const { id } = await accountNamed(deps, param(context, 'accountName'))
        const { page, total } = await pageOfNumbers(deps, query, id)
        return pageResponse(context, query, page, (number) => view(context, number), total)
      },
    ],
    [
      contract.listNumbers,
      async (context) => {
        const query = readListQuery(context.query, fields)
        const { page, total } = await pageOfNumbers(deps, query, undefined)
        return pageResponse(context, query, page, (number) => view(context, number), total)
      },
    ],
    [
      contract.getNumber,
      async (context) => {
        const number = await getNumber(deps, param(context, 'accountName'), param(context, 'telephoneNumber'))
        return readResponse(context, shownNumber(number), () => view(context, number))
      },
    ],
    [
      contract.createOrReplaceNumber,
      (context, carrying) => {
        const [accountName, e164] = [param(context, 'accountName'), param(context, 'telephoneNumber')]
        const read = deferred(() => [readNumberBody(bodyOf(deps, context), { accountName, e164 })])
        return carryOutNumberWrite(deps, carrying, async (tx) => {
          const put = { accountName, e164s: [e164], precondition: preconditionOf(context, storedNumber), read }
          const { account, created, toSync } = await putNumbers(deps, tx, context.by, put)
          const number = await readNumber(deps, tx, account, e164)
          return { toSync, response: resource(created ? 201 : 200, view(context, number), shownNumber(number)) }
        })
      },
    ],
    [
      contract.deleteNumber,
      (context, carrying) => {
        const deletion = {
          accountName: param(context, 'accountName'),
          e164: param(context, 'telephoneNumber'),
          precondition: preconditionOf(context, storedNumber),
        }
        return carryOutNumberWrite(deps, carrying, async (tx) => ({
          toSync: await deleteNumber(deps, tx, context.by, deletion),
          response: noContent,
        }))
      },
    ],
    [
      contract.createOrUpdateNumbers,
      (context, carrying) => {
        const accountName = param(context, 'accountName')
        const read = deferred(() => readBatch(bodyOf(deps, context), accountName))
        return carryOutNumberWrite(deps, carrying, async (tx) => {
          const { numbers, toSync } = await putBatch(deps, tx, context, { accountName, read })
          return { toSync, response: json(200, { numbers: numbers.map((number) => view(context, number)) }) }
        })
      },
    ],
    [
      contract.deleteNumbers,
      (context, carrying) => {
        const accountName = param(context, 'accountName')
        const read = deferred(() => readIdentifiers(bodyOf(deps, context)))
        return carryOutNumberWrite(deps, carrying, async (tx) => ({
          toSync: await deleteNumbers(deps, tx, context.by, { accountName, read }),
          response: noContent,
        }))
      },
    ],
  ])
}

const fieldsOf = (deps: RouteDeps) =>
  numberFields({ active: activeServices(deps), initialAssignmentStatus: deps.initialAssignmentStatus })

/** Throws 'account-not-found'. */
export async function accountNamed({ db }: RouteDeps, name: string): Promise<Account> {
  const account = await findAccount(db, name)
  if (account === undefined) throw accountNotFound(name)
  return account
}

/**
 * A page of the numbers of an account, or of all accounts, and the number of matches if requested.
 * @param only only this number
 */
export async function pageOfNumbers(
  deps: RouteDeps,
  query: ListQuery,
  accountId: string | undefined,
  only?: string,
): Promise<{ page: Page<AccountNumber>; total: number | undefined }> {
  const { db } = deps
  const active = activeServices(deps)
  const filter = query.filter && compileFilter(query.filter, fieldsOf(deps))
  const { skip, after } = query
  const rows = await listNumbers(db, accountId, active, { filter, after, skip, limit: pageLimit(query) }, only)
  return {
    page: cutPage(query, rows, ({ e164 }) => e164),
    total: query.count ? await countNumbers(db, accountId, active, filter) : undefined,
  }
}

/** Puts the numbers of a batch, all of them or none, and returns them in the order of the request. */
export async function putBatch(
  deps: RouteDeps,
  tx: Tx,
  { by }: Context,
  {
    accountName,
    read,
    check,
  }: { accountName: string; read(): NumberToPut[]; check?(before: NumberToPut | undefined): void },
): Promise<{ numbers: AccountNumber[]; toSync: SyncService[] }> {
  // A wrong body is reported once the account was found; until then it counts as an empty batch.
  const e164s = numbersOrNone(read).map(({ e164 }) => e164)
  const put = { accountName, e164s, targetOf, read, ...(check && { check }) }
  const { account, toSync } = await putNumbers(deps, tx, by, put)
  const stored = new Map(
    (await readNumbers(tx, account.id, e164s, activeServices(deps))).map((number) => [number.e164, number]),
  )
  return { numbers: e164s.flatMap((e164) => stored.get(e164) ?? []), toSync }
}

function numbersOrNone(read: () => NumberToPut[]): NumberToPut[] {
  try {
    return read()
  } catch {
    return []
  }
}

type NumberWrite = (tx: Tx) => Promise<{ toSync: SyncService[]; response: Response }>

/** Writes numbers; their reconcilers are nudged after the commit. */
export async function carryOutNumberWrite(
  deps: RouteDeps,
  { commit }: Carrying,
  write: NumberWrite,
): Promise<Response> {
  let toSync: SyncService[] = []
  const response = await commit(async (tx) => {
    const written = await write(tx)
    toSync = written.toSync
    return written.response
  })
  deps.nudge(toSync)
  return response
}
