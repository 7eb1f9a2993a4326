/**
 * The routes that set what a resource may buy and pay on a running emulator, so that every refusal of searches and
 * purchases can be provoked. The same as `linebook resource`, `wallet` and `stock retire`.
 */
import Type from 'typebox'
import { parseEntitlement } from '../../buyers/entitlement.js'
import { changeTerms, showBuyer } from '../../buyers/terms.js'
import { chargeMonth } from '../../buyers/wallet/charge-month.js'
import { credit, showWallets } from '../../buyers/wallets.js'
import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import { invalidInput } from '../../errors.js'
import { pickQuery, type QueryParameters } from '../../http/query.js'
import { restore, retire } from '../../ledger/commands.js'
import { readBody } from './input.js'
import type { ControlRoute } from './routes.js'

export interface BuyerControlDeps {
  db: Db
  clock: Clock
  /** Called when the resources kept in memory may have changed. */
  resourcesChanged: () => Promise<void>
}

const ACTOR = 'emulator'
const USUAL_LINES = 20
const MOST_LINES = 1_000
const MOST_NUMBERS = 10_000

const strictly = { additionalProperties: false }
const Words = Type.String({ maxLength: 200, pattern: '^[^\\u0000-\\u001f]*$' })
/** The command that reads it checks its form. */
const Text = Type.String({ maxLength: 100 })
const Address = Type.Object({ line: Words, city: Words, postalCode: Words, state: Type.Optional(Words) }, strictly)
const Terms = Type.Object(
  {
    numberLimit: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 2_147_483_647 }), Type.Null()])),
    entitledTo: Type.Optional(Type.Union([Type.Array(Text, { maxItems: 500 }), Type.Null()])),
    addresses: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Z]{2}$' }), Type.Union([Address, Type.Null()]), strictly),
    ),
  },
  strictly,
)
const Credit = Type.Object(
  {
    amount: Text,
    currency: Text,
    note: Type.Optional(Words),
  },
  strictly,
)
const Month = Type.Object({ month: Type.Optional(Text) }, strictly)
const Numbers = Type.Array(Text, { minItems: 1, maxItems: MOST_NUMBERS })
const Retirement = Type.Object({ phoneNumbers: Numbers, evenHeld: Type.Optional(Type.Boolean()) }, strictly)
const Restoration = Type.Object({ phoneNumbers: Numbers }, strictly)

export const buyerRoutes = ({ db, clock, resourcesChanged }: BuyerControlDeps): ControlRoute[] => [
  ['GET', '/resources/:name/terms', (_request, { name = '' }) => showBuyer(db, name)],
  [
    'PATCH',
    '/resources/:name/terms',
    async (request, { name = '' }) => {
      const { entitledTo, ...terms } = readBody(Terms, request)
      const entitlements = entitledTo && [...new Set(entitledTo.map(parseEntitlement))].sort()
      await changeTerms(db, name, { ...terms, ...(entitlements !== undefined && { entitledTo: entitlements }) })
      await resourcesChanged()
      return showBuyer(db, name)
    },
  ],
  ['GET', '/wallets', async (request) => ({ wallets: await showWallets(db, undefined, linesOf(request.query, 0)) })],
  [
    'GET',
    '/resources/:name/wallets',
    async (request, { name = '' }) => ({ wallets: await showWallets(db, name, linesOf(request.query, USUAL_LINES)) }),
  ],
  [
    'POST',
    '/resources/:name/wallets',
    (request, { name = '' }) => {
      const { note = 'credit', ...wanted } = readBody(Credit, request)
      return credit({ db, clock }, name, { ...wanted, note, actor: ACTOR })
    },
  ],
  [
    'POST',
    '/charge-month',
    (request) => chargeMonth({ db, clock }, { month: readBody(Month, request).month, actor: ACTOR }),
  ],
  [
    'POST',
    '/stock/retire',
    async (request) => {
      const { phoneNumbers, evenHeld = false } = readBody(Retirement, request)
      await db.transaction((tx) => retire(tx, phoneNumbers, causeAt(clock, 'stock retire'), { evenHeld }))
    },
  ],
  [
    'POST',
    '/stock/restore',
    async (request) => {
      const { phoneNumbers } = readBody(Restoration, request)
      await db.transaction((tx) => restore(tx, phoneNumbers, causeAt(clock, 'stock restore')))
    },
  ],
]

const causeAt = (clock: Clock, reason: string) => ({ at: clock.now(), actor: ACTOR, reason })

/** `?limit=`: how many lines of each journal. */
function linesOf(query: unknown, usual: number): number {
  const parameters = query as QueryParameters
  const other = [...parameters.keys()].find((name) => name !== 'limit')
  if (other !== undefined) throw invalidInput(`${other} is not known here; it takes limit.`, other)
  const { limit = String(usual) } = pickQuery(parameters, ['limit'])
  const lines = /^\d{1,4}$/.test(limit) ? Number(limit) : Infinity
  if (lines > MOST_LINES) throw invalidInput(`limit must be a whole number from 0 to ${MOST_LINES}.`, 'limit')
  return lines
}
