/** The operations of api-version 2023-10-01, over the same commands and the same store. */
import type { AccountNumber, NumberToPut } from '../../accounts/account-number.js'
import { deleteAccount } from '../../accounts/commands/delete-account.js'
import { deleteNumber } from '../../accounts/commands/delete-numbers.js'
import { putAccount } from '../../accounts/commands/put-account.js'
import { putNumbers } from '../../accounts/commands/put-numbers.js'
import { getAccount, getNumber, readNumber, type ShownAccount } from '../../accounts/commands/read.js'
import { namesOf, wantedLabel } from '../../accounts/subdomain.js'
import { readFlag, readParameter } from '../contract/parameters.js'
import { carryOutAccountWrite, pageOfAccounts } from '../routes/accounts.js'
import { accountNamed, carryOutNumberWrite, pageOfNumbers, putBatch } from '../routes/numbers.js'
import { etagText } from '../wire/etag.js'
import { shownAccount, shownNumber, storedAccount, storedNumber } from '../wire/etag.js'
import { oldListRules, readListQuery } from '../wire/list.js'
import {
  bodyOf,
  deferred,
  json,
  noContent,
  pageResponse,
  param,
  preconditionOf,
  resource,
  type Context,
  type RouteDeps,
  type Routes,
} from '../wire/route.js'
import * as contract from './operations.js'
import {
  accountOf2023,
  assertRepresentableAccount,
  assertRepresentableNumber,
  batchOf2023,
  numberOf2023,
} from './read.js'
import { accountView2023, accountWithStatusView2023, numberView2023, tokensInZone } from './views.js'

/** The operations with their handlers. */
export const routes2023 = (deps: RouteDeps): Routes => new Map([...accountRoutes(deps), ...numberRoutes(deps)])

const versionOfAccount = ({ account, subdomain }: ShownAccount) => shownAccount(account, subdomain)
const accountView = (shown: ShownAccount) => accountView2023(shown.account, etagText(versionOfAccount(shown).etag))
const numberView = (number: AccountNumber) => numberView2023(number, etagText(shownNumber(number).etag))

const accountRoutes = (deps: RouteDeps): Routes =>
  new Map([
    [
      contract.listAccounts,
      async (context) => {
        const query = readListQuery(context.query, {}, oldListRules)
        const { page } = await pageOfAccounts(deps, query)
        return pageResponse(context, query, page, accountView, undefined)
      },
    ],
    [
      contract.getAccount,
      async (context) => {
        const withStatus = readFlag('status', context.query.get('status'))
        const shown = await getAccount(deps, param(context, 'accountName'))
        const version = versionOfAccount(shown)
        if (!withStatus) return resource(200, accountView(shown), version)
        const label = wantedLabel(shown.account)
        const names = label === undefined ? [] : namesOf(deps.regions, label)
        const tokens = tokensInZone(names, await deps.zone.lookupTxt(names))
        const state = { status: shown.subdomain, tokens }
        return resource(200, accountWithStatusView2023(shown.account, etagText(version.etag), state), version)
      },
    ],
    [
      contract.createOrReplaceAccount,
      (context, carrying) => {
        const name = param(context, 'accountName')
        const wanted = deferred(() => accountOf2023(bodyOf(deps, context), name))
        return carryOutAccountWrite(deps, carrying, {
          name,
          write: (tx) =>
            putAccount(deps, tx, context.by, {
              name,
              precondition: preconditionOf(context, storedAccount),
              read: (before) => {
                const account = wanted()
                if (before) assertRepresentableAccount(before)
                return account
              },
            }),
          response: (shown, { created }) => resource(created ? 201 : 200, accountView(shown), versionOfAccount(shown)),
        })
      },
    ],
    [
      contract.deleteAccount,
      (context, carrying) => {
        const deletion = {
          name: param(context, 'accountName'),
          deleteNumbers: undefined,
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

const check = (before: NumberToPut | undefined): void => {
  if (before) assertRepresentableNumber(before)
}

const numberRoutes = (deps: RouteDeps): Routes =>
  new Map([
    [
      contract.listAccountNumbers,
      async (context) => {
        const query = readListQuery(context.query, {}, oldListRules)
        const { id } = await accountNamed(deps, param(context, 'accountName'))
        const { page } = await pageOfNumbers(deps, query, id)
        return pageResponse(context, query, page, numberView, undefined)
      },
    ],
    [
      contract.listNumbers,
      async (context) => {
        const parameters = [...oldListRules.parameters, 'number']
        const query = readListQuery(context.query, {}, { ...oldListRules, parameters })
        const [wanted] = context.query.get('number') ?? []
        const only = wanted === undefined ? undefined : readParameter('phoneNumber', wanted)
        const { page } = await pageOfNumbers(deps, query, undefined, only)
        return pageResponse(context, query, page, numberView, undefined)
      },
    ],
    [
      contract.getNumber,
      async (context) => {
        const number = await getNumber(deps, param(context, 'accountName'), param(context, 'phoneNumber'))
        return resource(200, numberView(number), shownNumber(number))
      },
    ],
    [
      contract.createOrReplaceNumber,
      (context, carrying) => {
        const [accountName, e164] = [param(context, 'accountName'), param(context, 'phoneNumber')]
        const read = deferred(() => [numberOf2023(bodyOf(deps, context), e164)])
        return carryOutNumberWrite(deps, carrying, async (tx) => {
          const { account, created, toSync } = await putNumbers(deps, tx, context.by, {
            accountName,
            e164s: [e164],
            precondition: preconditionOf(context, storedNumber),
            read,
            check,
          })
          const number = await readNumber(deps, tx, account, e164)
          return { toSync, response: resource(created ? 201 : 200, numberView(number), shownNumber(number)) }
        })
      },
    ],
    [
      contract.createOrReplaceNumbers,
      (context: Context, carrying) => {
        const accountName = param(context, 'accountName')
        const read = deferred(() => batchOf2023(bodyOf(deps, context)))
        return carryOutNumberWrite(deps, carrying, async (tx) => {
          const { numbers, toSync } = await putBatch(deps, tx, context, {
            accountName,
            read,
            check,
          })
          return { toSync, response: json(200, { numbers: numbers.map(numberView) }) }
        })
      },
    ],
    [
      contract.deleteNumber,
      (context, carrying) => {
        const deletion = {
          accountName: param(context, 'accountName'),
          e164: param(context, 'phoneNumber'),
          precondition: preconditionOf(context, storedNumber),
        }
        return carryOutNumberWrite(deps, carrying, async (tx) => ({
          toSync: await deleteNumber(deps, tx, context.by, deletion),
          response: noContent,
        }))
      },
    ],
  ])
