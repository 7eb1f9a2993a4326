/**
 * The protocol's operations as calls: commands with an outcome for each item, and reads whose responses are checked.
 */
import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { BackendError, type CommandItem, type Outcome } from '../port/call.js'
import { operations, type OperationResponse, type OperationName, type Wire } from './contract.js'
import type { HttpResult, TimeLimit, Transport } from './transport.js'
import { readOutcome } from './wire.js'

type Query = Readonly<Record<string, string | undefined>>
export interface ReadRequest extends Partial<TimeLimit> {
  query?: Query
  body?: unknown
}

/** Makes the value of a `done` outcome; undefined when the response lacks it. */
export type ValueOf<Value> = (number: Wire['BackendNumber'] | undefined) => { value: Value } | undefined
export const nothing = (): { value: undefined } => ({ value: undefined })

export interface Calls {
  /** A command; when the whole call is refused or throttled, every item gets that outcome. */
  command<Value>(
    name: CommandName,
    items: readonly CommandItem[],
    body: object,
    valueOf: ValueOf<Value>,
  ): Promise<Outcome<Value>[]>
  /** Rejects with a BackendError, also when the read was refused. */
  read<Name extends OperationName>(name: Name, request: ReadRequest): Promise<OperationResponse<Name>>
  /** A time limit for several reads together. */
  limit(signal: AbortSignal | undefined): TimeLimit
}

export function callsOver(transport: Transport): Calls {
  const call = async <Name extends OperationName>(
    name: Name,
    { query, body, headers, ...limit }: ReadRequest & { headers?: Record<string, string> },
  ): Promise<{ response: OperationResponse<Name> } | Exclude<HttpResult, { kind: 'ok' }>> => {
    const { method, path } = operations[name]
    const request = {
      method,
      path,
      ...(query && { query: definedOnly(query) }),
      ...(body !== undefined && { body }),
      ...(headers && { headers }),
    }
    const result = await transport.send(request, limit)
    return result.kind === 'ok' ? { response: checked(name, result.body) } : result
  }
  return {
    command: async (name, items, body, valueOf) => {
      if (items.length === 0) return []
      const result = await call(name, { body, headers: { 'Idempotency-Key': callKey(name, items) } })
      return 'response' in result
        ? outcomesOf(name, result.response, items.length, valueOf)
        : items.map(() => sameForAll(result))
    },
    read: async (name, request) => {
      const result = await call(name, request)
      if ('response' in result) return result.response
      throw new BackendError(result.fault, { mayHaveActed: false, ...(result.kind === 'throttled' && afterOf(result)) })
    },
    limit: (signal) => ({ deadline: transport.deadline(), ...(signal && { signal }) }),
  }
}

export type CommandName = {
  [
    Name in OperationName
  ]: (typeof operations)[Name]['response'] extends (typeof operations)['upsertTenants']['response'] ? Name : never
}[OperationName]

/** An idempotency key that is the same for each repeat of the same commands. */
const callKey = (name: CommandName, items: readonly CommandItem[]): string => {
  const hash = createHash('sha256').update(name)
  for (const { idempotencyKey } of items) hash.update('\n').update(idempotencyKey)
  return hash.digest('base64url')
}

const afterOf = ({ afterMs }: { afterMs?: number }) => (afterMs === undefined ? {} : { afterMs })

const sameForAll = (result: Exclude<HttpResult, { kind: 'ok' }>): Outcome<never> =>
  result.kind === 'refused'
    ? { kind: 'refused', fault: result.fault }
    : { kind: 'later', reason: `${result.fault.code}: ${result.fault.message}`, ...afterOf(result) }

function outcomesOf<Value>(
  name: CommandName,
  { outcomes }: OperationResponse<CommandName>,
  wanted: number,
  valueOf: ValueOf<Value>,
): Outcome<Value>[] {
  if (outcomes.length !== wanted) {
    throw misfit(name, `outcomes has ${outcomes.length} entries for ${wanted} items`)
  }
  return outcomes.map((given, index) => {
    const outcome = readOutcome(given, valueOf)
    if ('missing' in outcome) throw misfit(name, `outcomes.${index}.${outcome.missing} is missing`)
    return outcome
  })
}

const definedOnly = (query: Query): Record<string, string> =>
  Object.fromEntries(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined))

const checks = new Map<OperationName, ReturnType<typeof Compile>>()

/** Returns the body if it fits the operation's response; otherwise throws a BackendError that names the place. */
function checked<Name extends OperationName>(name: Name, body: unknown): OperationResponse<Name> {
  const compiled = checks.get(name) ?? Compile(operations[name].response as TSchema)
  checks.set(name, compiled)
  if (compiled.Check(body)) return body as OperationResponse<Name>
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
