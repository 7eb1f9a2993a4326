/** The member of the port that speaks docs/backend-protocol.md to a system of the operator's. */
import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Clock } from '../../clock.js'
import {
  BackendError,
  type Backend,
  type BackendNumber,
  type CivicAddress,
  type CommandItem,
  type Consent,
  type Outcome,
  type ServiceCode,
} from '../port/backend.js'
import { BREAKER_LIMITS, type BreakerLimits } from './circuit-breaker.js'
import { operations, type Answer, type OperationName, type Wire } from './contract.js'
import { Transport, type HttpAnswer, type HttpAuth } from './transport.js'
import { readConsent, readNumber, readOutcome, wireCommand, wireUpload } from './wire.js'

export interface HttpOptions {
  service: ServiceCode
  url: string
  clock: Clock
  auth?: HttpAuth
  /** Sent with every call beside what the protocol wants. */
  headers?: Readonly<Record<string, string>>
  timeoutMs?: number
  batchSize?: number
  concurrency?: number
  breaker?: BreakerLimits
  fetch?: typeof fetch
}

export const HTTP_DEFAULTS = { timeoutMs: 30_000, batchSize: 200, concurrency: 4 }

/** A list that goes on for longer is not read to its end, and not shown in part. */
const MAX_PAGES = 200

type Query = Readonly<Record<string, string | undefined>>
interface Asked {
  query?: Query
  body?: unknown
  /** Of a call that is one of several. */
  signal?: AbortSignal
}
/** What a call to the backend is made of, by the operation's name. */
type Call = <Name extends OperationName>(
  name: Name,
  request: Asked & { headers?: Record<string, string> },
) => Promise<{ answer: Answer<Name> } | Exclude<HttpAnswer, { kind: 'answer' }>>

export function createHttpBackend(options: HttpOptions): Backend {
  const { service, clock, headers = {}, auth, breaker = BREAKER_LIMITS } = options
  const { timeoutMs, batchSize, concurrency } = { ...HTTP_DEFAULTS, ...options }
  const transport = new Transport({
    url: options.url.replace(/\/+$/, ''),
    timeoutMs,
    auth,
    headers: { ...headers, 'Linebook-Service': service },
    clock,
    breaker,
    fetch: options.fetch ?? fetch,
  })
  const call: Call = async (name, { query, body, headers: extra, signal }) => {
    const { method, path } = operations[name]
    const request = {
      method,
      path,
      ...(query && { query: definedOnly(query) }),
      ...(body !== undefined && { body }),
      ...(extra && { headers: extra }),
    }
    const said = await transport.send(request, signal ?? transport.deadline())
    return said.kind === 'answer' ? { answer: checked(name, said.body) } : said
  }

  const command = async <Value>(
    name: CommandName,
    items: readonly CommandItem[],
    body: object,
    valueOf: (number: Wire['BackendNumber'] | undefined) => { value: Value } | undefined,
  ): Promise<Outcome<Value>[]> => {
    if (items.length === 0) return []
    const said = await call(name, { body, headers: { 'Idempotency-Key': callKey(name, items) } })
    return 'answer' in said ? outcomesOf(name, said.answer, items.length, valueOf) : items.map(() => sameForAll(said))
  }

  const ask = async <Name extends OperationName>(name: Name, request: Asked): Promise<Answer<Name>> => {
    const said = await call(name, request)
    if ('answer' in said) return said.answer
    throw new BackendError(said.fault, { mayHaveActed: false, ...(said.kind === 'throttled' && afterOf(said)) })
  }

  const consents = (tenantId?: string): Promise<Consent[]> =>
    allPages(transport, async (cursor, signal) => {
      const { consents: found, nextCursor } = await ask('listConsents', { query: { tenantId, cursor }, signal })
      return { found: found.map(readConsent), nextCursor }
    })
  const civicAddresses = (tenantId: string, id?: string): Promise<CivicAddress[]> =>
    allPages(transport, async (cursor, signal) => {
      const answer = await ask('listCivicAddresses', { query: { tenantId, id, cursor }, signal })
      return { found: answer.civicAddresses, nextCursor: answer.nextCursor }
    })

  return {
    name: 'http',
    batchSize,
    concurrency,
    timeoutMs,
    unavailable: () => transport.unavailable(),

    upsertTenants: (tenants) => command('upsertTenants', tenants, { items: tenants }, nothing),
    uploadNumbers: (tenantId, numbers) =>
      command('uploadNumbers', numbers, { tenantId, items: numbers.map(wireUpload) }, aNumber),
    updateNumbers: (tenantId, numbers) =>
      command('updateNumbers', numbers, { tenantId, items: numbers.map(wireUpload) }, aNumber),
    unassignNumbers: (tenantId, numbers) =>
      command('unassignNumbers', numbers, { tenantId, items: numbers.map(wireCommand) }, nothing),
    releaseNumbers: (tenantId, numbers) =>
      command('releaseNumbers', numbers, { tenantId, items: numbers.map(wireCommand) }, nothing),
    getNumbers: async (tenantId, e164s) =>
      (await ask('getNumbers', { body: { tenantId, telephoneNumbers: e164s } })).numbers.map(readNumber),

    listConsents: () => consents(),
    getConsent: async (tenantId) =>
      (await consents(tenantId)).find((consent) => consent.tenantId.toLowerCase() === tenantId.toLowerCase()),
    updateCustomerRelationships: (changes) =>
      command('updateCustomerRelationships', changes, { items: changes }, nothing),
    listCivicAddresses: (tenantId) => civicAddresses(tenantId),
    getCivicAddress: async (tenantId, id) => (await civicAddresses(tenantId, id)).find((address) => address.id === id),
    listCapabilityPlans: async (tenantId) =>
      (await ask('listCapabilityPlans', { query: { tenantId } })).capabilityPlans,
    getAvailableCapabilities: async (tenantId, e164s) =>
      (await ask('getAvailableCapabilities', { body: { tenantId, telephoneNumbers: e164s } })).numbers.map(
        ({ telephoneNumber, availableCapabilities }) => ({ e164: telephoneNumber, availableCapabilities }),
      ),
  }
}

type CommandName = {
  [Name in OperationName]: (typeof operations)[Name]['answer'] extends (typeof operations)['upsertTenants']['answer']
    ? Name
    : never
}[OperationName]

const nothing = (): { value: undefined } => ({ value: undefined })
const aNumber = (number: Wire['BackendNumber'] | undefined): { value: BackendNumber } | undefined =>
  number && { value: readNumber(number) }

/** The same for each repeat of the same commands. */
const callKey = (name: CommandName, items: readonly CommandItem[]): string => {
  const hash = createHash('sha256').update(name)
  for (const { idempotencyKey } of items) hash.update('\n').update(idempotencyKey)
  return hash.digest('base64url')
}

const afterOf = ({ afterMs }: { afterMs?: number }) => (afterMs === undefined ? {} : { afterMs })

const sameForAll = (said: Exclude<HttpAnswer, { kind: 'answer' }>): Outcome<never> =>
  said.kind === 'refused'
    ? { kind: 'refused', fault: said.fault }
    : { kind: 'later', reason: `${said.fault.code}: ${said.fault.message}`, ...afterOf(said) }

function outcomesOf<Value>(
  name: CommandName,
  { outcomes }: Answer<CommandName>,
  wanted: number,
  valueOf: Parameters<typeof readOutcome<Value>>[1],
): Outcome<Value>[] {
  if (outcomes.length !== wanted) {
    throw misfit(name, `outcomes has ${outcomes.length} entries for ${wanted} items`)
  }
  return outcomes.map((told, index) => {
    const outcome = readOutcome(told, valueOf)
    if ('missing' in outcome) throw misfit(name, `outcomes.${index}.${outcome.missing} is missing`)
    return outcome
  })
}

/** All pages, in the time of one call. */
async function allPages<Item>(
  transport: Transport,
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<{ found: Item[]; nextCursor: string | undefined }>,
): Promise<Item[]> {
  const all: Item[] = []
  const signal = transport.deadline()
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const { found, nextCursor } = await read(cursor, signal)
    all.push(...found)
    if (nextCursor === undefined) return all
    cursor = nextCursor
  }
  throw new BackendError(
    { code: 'InvalidAnswer', message: `A list of the backend has more than ${MAX_PAGES} pages.` },
    { mayHaveActed: false },
  )
}

const definedOnly = (query: Query): Record<string, string> =>
  Object.fromEntries(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined))

const checks = new Map<OperationName, ReturnType<typeof Compile>>()

/** The body when it fits the operation's answer; otherwise a BackendError that names the place. */
function checked<Name extends OperationName>(name: Name, body: unknown): Answer<Name> {
  const compiled = checks.get(name) ?? Compile(operations[name].answer as TSchema)
  checks.set(name, compiled)
  if (compiled.Check(body)) return body as Answer<Name>
  const [fault] = compiled.Errors(body)
  const place = fault?.instancePath.split('/').slice(1).join('.') ?? ''
  throw misfit(name, `${place === '' ? 'the body' : place} ${fault?.message ?? 'is not as it should be'}`)
}

const misfit = (name: OperationName, what: string): BackendError => {
  const { method, path } = operations[name]
  return new BackendError(
    { code: 'InvalidAnswer', message: `The answer to ${method} ${path} doesn't fit the protocol: ${what}.` },
    { mayHaveActed: true },
  )
}
