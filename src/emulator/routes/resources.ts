/** The routes by which a test gets its own resource, in one call, and gives it back. */
import Type, { type Static } from 'typebox'
import type { Tx } from '../../db/db.js'
import { invalidInput } from '../../errors.js'
import type { FastifyRequest } from '../../http/server.js'
import { numberTypes } from '../../ledger/number.js'
import { PlaceFinder } from '../../ledger/stock/derive.js'
import type { Place, StockNumber } from '../../ledger/stock/enter.js'
import {
  checkedName,
  listIsolatedResources,
  makeIsolatedResource,
  removeIsolatedResource,
  type IsolatedDeps,
} from '../resources/isolated-resources.js'
import { lockMadeUpNumbers, madeUpNumbers } from '../resources/test-numbers.js'
import type { Gate } from '../state/gate.js'
import { readBody } from './input.js'
import { Made, type ControlRoute } from './routes.js'

export interface ResourceControlDeps extends IsolatedDeps {
  gate: Gate
  /** Called when a resource was added or removed. */
  resourcesChanged: () => Promise<void>
}

const MAX_NUMBERS = 10_000
const MAX_ITEMS = 100
const DEFAULT_QUANTITY = 10

const strictly = { additionalProperties: false }
const Words = Type.String({ maxLength: 200, pattern: '^[^\\u0000-\\u001f]*$' })
const CountryCode = Type.String({ pattern: '^[A-Z]{2}$' })
const StockItem = Type.Object(
  {
    countryCode: Type.Optional(CountryCode),
    phoneNumberType: Type.Optional(Type.Enum([...numberTypes])),
    areaCode: Type.Optional(Type.String({ pattern: '^[0-9]{1,8}$' })),
    locality: Type.Optional(Words),
    administrativeDivision: Type.Optional(Words),
    quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_NUMBERS })),
    phoneNumbers: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { minItems: 1, maxItems: MAX_NUMBERS })),
  },
  strictly,
)
const Address = Type.Object({ line: Words, city: Words, postalCode: Words, state: Type.Optional(Words) }, strictly)
const NewResource = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 100 })),
    hosts: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { maxItems: 10 })),
    stock: Type.Optional(Type.Array(StockItem, { maxItems: MAX_ITEMS })),
    wallets: Type.Optional(
      Type.Array(
        Type.Object(
          {
            currency: Type.String({ pattern: '^[A-Z]{3}$' }),
            amount: Type.String({ pattern: '^\\d{1,10}(\\.\\d{1,4})?$' }),
          },
          strictly,
        ),
        { maxItems: 10 },
      ),
    ),
    numberLimit: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
    entitledTo: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Z]{2}(:(geographic|tollFree|mobile)(:(person|application))?)?$' }), {
        maxItems: 500,
      }),
    ),
    addresses: Type.Optional(Type.Record(CountryCode, Address, strictly)),
  },
  strictly,
)

/** The stock of a resource that requests none: some numbers of each kind that applications buy most. */
const DEFAULT_STOCK: readonly Static<typeof StockItem>[] = [
  {
    countryCode: 'US',
    phoneNumberType: 'geographic',
    areaCode: '206',
    locality: 'Seattle',
    administrativeDivision: 'WA',
  },
  {
    countryCode: 'US',
    phoneNumberType: 'geographic',
    areaCode: '425',
    locality: 'Redmond',
    administrativeDivision: 'WA',
  },
  {
    countryCode: 'US',
    phoneNumberType: 'geographic',
    areaCode: '212',
    locality: 'New York',
    administrativeDivision: 'NY',
  },
  { countryCode: 'US', phoneNumberType: 'tollFree', areaCode: '800' },
  { countryCode: 'US', phoneNumberType: 'tollFree', areaCode: '888' },
  { countryCode: 'GB', phoneNumberType: 'geographic', areaCode: '20', locality: 'London' },
  { countryCode: 'GB', phoneNumberType: 'tollFree', areaCode: '808' },
  { countryCode: 'GB', phoneNumberType: 'mobile', areaCode: '7700' },
  { countryCode: 'FR', phoneNumberType: 'geographic', areaCode: '1', locality: 'Paris' },
  { countryCode: 'DE', phoneNumberType: 'geographic', areaCode: '30', locality: 'Berlin' },
]

export const resourceRoutes = (deps: ResourceControlDeps): ControlRoute[] => [
  ['GET', '/resources', async () => ({ resources: await listIsolatedResources(deps.db) })],
  ['POST', '/resources', (request) => makeResource(deps, request)],
  [
    'DELETE',
    '/resources/{name}',
    async (_request, { name = '' }) => {
      await deps.gate.alone(async () => {
        await removeIsolatedResource(deps.db, checkedName(name))
        await deps.resourcesChanged()
      })
    },
  ],
]

async function makeResource(deps: ResourceControlDeps, request: FastifyRequest): Promise<Made> {
  const wanted = readBody(NewResource, request)
  const { stock = DEFAULT_STOCK, hosts = [], wallets = [], addresses = {} } = wanted
  checkSize(stock)
  const endpoint = endpointOf(request, hosts[0])
  const made = await makeIsolatedResource(deps, {
    name: wanted.name,
    hosts,
    stock: (tx) => numbersFor(tx, stock),
    wallets,
    numberLimit: wanted.numberLimit,
    entitledTo: wanted.entitledTo,
    addresses,
  })
  await deps.resourcesChanged()
  const { name, keys, phoneNumbers } = made
  return new Made({
    name,
    hosts: made.hosts,
    endpoint,
    connectionString: `endpoint=${endpoint};accesskey=${keys.primary}`,
    accessKeys: keys,
    phoneNumbers,
  })
}

const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i

/** The address that the request came to; for a resource with a host name, that host at the same port. */
function endpointOf(request: FastifyRequest, ownHost: string | undefined): string {
  const { host = '' } = request.headers
  if (!HOST.test(host)) throw invalidInput('The Host header names no host, so there is no address to give.')
  const port = /:\d+$/.exec(host)?.[0] ?? ''
  return `${request.protocol}://${ownHost === undefined ? host : `${ownHost.toLowerCase()}${port}`}/`
}

function checkSize(stock: readonly Static<typeof StockItem>[]): void {
  const count = stock.reduce((sum, { phoneNumbers, quantity = DEFAULT_QUANTITY }) => {
    return sum + (phoneNumbers?.length ?? quantity)
  }, 0)
  if (count <= MAX_NUMBERS) return
  throw invalidInput(`stock has ${count} numbers together, and ${MAX_NUMBERS} is the most.`, 'stock')
}

async function numbersFor(tx: Tx, stock: readonly Static<typeof StockItem>[]): Promise<StockNumber[]> {
  const finder = new PlaceFinder()
  const numbers = new Map<string, StockNumber>()
  await lockMadeUpNumbers(tx)
  for (const [index, item] of stock.entries()) {
    const target = `stock.${index}`
    const found =
      item.phoneNumbers === undefined
        ? await madeUpNumbers(tx, placeOf(item, target), item.quantity ?? DEFAULT_QUANTITY, target)
        : givenNumbers(finder, item, item.phoneNumbers, target)
    for (const number of found) {
      if (numbers.has(number.e164)) throw invalidInput(`${number.e164} is given twice in stock.`, target)
      numbers.set(number.e164, number)
    }
  }
  return [...numbers.values()]
}

function placeOf(item: Static<typeof StockItem>, target: string): Place {
  const { countryCode, phoneNumberType, areaCode, locality = '', administrativeDivision = '' } = item
  if (countryCode === undefined || phoneNumberType === undefined || areaCode === undefined) {
    throw invalidInput(
      `${target} must say countryCode, phoneNumberType and areaCode, e.g. {"countryCode": "US", "phoneNumberType": ` +
        '"geographic", "areaCode": "425", "quantity": 5}, or give phoneNumbers.',
      target,
    )
  }
  return { countryCode, numberType: phoneNumberType, areaCode, locality, administrativeDivision }
}

function givenNumbers(
  finder: PlaceFinder,
  item: Static<typeof StockItem>,
  phoneNumbers: readonly string[],
  target: string,
): StockNumber[] {
  if (item.quantity !== undefined) {
    throw invalidInput(`${target} has phoneNumbers, so it takes no quantity.`, `${target}.quantity`)
  }
  const { countryCode = '', phoneNumberType = '', areaCode = '', locality = '', administrativeDivision = '' } = item
  return phoneNumbers.map((phoneNumber, index) => {
    const place = finder.placeOf({
      phoneNumber,
      countryCode,
      phoneNumberType,
      areaCode,
      locality,
      administrativeDivision,
    })
    if (typeof place === 'string') throw invalidInput(`${place}.`, `${target}.phoneNumbers.${index}`)
    return { e164: phoneNumber, place }
  })
}
