/** The protocol's operations as calls: commands with an outcome for each item, and questions whose answers are checked. */
import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { BackendError, type CommandItem, type Outcome } from '../port/call.js'
import { operations, type Answer, type OperationName, type Wire } from './contract.js'
import type { HttpAnswer, TimeLimit, Transport } from './transport.js'
import { readOutcome } from './wire.js'

type Query = Readonly<Record<string, string | undefined>>
export interface Question extends Partial<TimeLimit> {
  query?: Query
  body?: unknown
}

/** What the value of a `done` is made of; undefined when it is missing. */
export type ValueOf<Value> = (number: Wire['BackendNumber'] | undefined) => { value: Value } | undefined
export const nothing = (): { value: undefined } => ({ value: undefined })

export interface Calls {
  /** A command; a call that is refused or throttled as a whole is so for every item. */
  command<Value>(
    name: CommandName,
    items: readonly CommandItem[],
    body: object,
    valueOf: ValueOf<Value>,
  ): Promise<Outcome<Value>[]>
  /** A question. Rejects with a BackendError also when it was refused. */
  ask<Name extends OperationName>(name: Name, question: Question): Promise<Answer<Name>>
  /** A time limit for several questions together. */
  limit(signal: AbortSignal | undefined): TimeLimit
}

export function callsOver(transport: Transport): Calls {
  const call = async <Name extends OperationName>(
    name: Name,
    { query, body, headers, ...limit }: Question & { headers?: Record<string, string> },
  ): Promise<{ answer: Answer<Name> } | Exclude<HttpAnswer, { kind: 'answer' }>> => {
    const { method, path } = operations[name]
    const request = {
      method,
      path,
      ...(query && { query: definedOnly(query) }),
      ...(body !== undefined && { body }),
      ...(headers && { headers }),
    }
    const said = await transport.send(request, limit)
    return said.kind === 'answer' ? { answer: checked(name, said.body) } : said
  }
  return {
    command: async (name, items, body, valueOf) => {
      if (items.length === 0) return []
      const said = await call(name, { body, headers: { 'Idempotency-Key': callKey(name, items) } })
      return 'answer' in said ? outcomesOf(name, said.answer, items.length, valueOf) : items.map(() => sameForAll(said))
    },
    ask: async (name, question) => {
      const said = await call(name, question)
      if ('answer' in said) return said.answer
      throw new BackendError(said.fault, { mayHaveActed: false, ...(said.kind === 'throttled' && afterOf(said)) })
    },
    limit: (signal) => ({ deadline: transport.deadline(), ...(signal && { signal }) }),
  }
}

export type CommandName = {
  [Name in OperationName]: (typeof operations)[Name]['answer'] extends (typeof operations)['upsertTenants']['answer']
    ? Name
    : never
}[OperationName]

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
  valueOf: ValueOf<Value>,
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
