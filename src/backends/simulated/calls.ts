/**
 * The way of a call through a simulated backend: it meets the requested misbehaviours, takes effect in one change of
 * the documents, and is logged with it. Without misbehaviours that takes one read of the surrounding documents, and one
 * change that reads and writes the call's own documents at once.
 */
import type { Clock } from '../../clock.js'
import type { ServiceCode } from '../port/backend.js'
import { BackendError, type CommandItem, type Outcome } from '../port/call.js'
import type { Change, Documents, LoggedCall, LoggedItem, Ref } from './documents.js'
import {
  asBehaviour,
  Taker,
  type Asked,
  type CommandMethod,
  type Method,
  type SimulatedSettings,
} from './misbehaviour.js'
import { nothingRemembered, receive, type Act, type Quirks, type Remembered, type Reply } from './receive.js'

export interface CallDeps {
  service: ServiceCode
  documents: Documents
  clock: Clock
  settings: SimulatedSettings
  wait: (ms: number) => Promise<void>
  timeoutMs: number
}

/** A command about several items, each kept in its own document. */
export interface CommandCall<Document extends Remembered, Item extends CommandItem, Value> {
  method: CommandMethod
  tenantId?: string
  items: readonly Item[]
  /** The key of an item in the log and in misbehaviours. */
  keyOf(item: Item): string
  refOf(item: Item): Ref
  /** Surrounding documents that the rules read. */
  around: readonly Ref[]
  /** Made from those documents and the current settings. */
  rules(
    around: unknown[],
    settings: SimulatedSettings,
  ): { act: Act<Document, Item>; value(item: Item, document: Document): Value }
}

/** A call that changes nothing. */
export interface ReadCall {
  method: Method
  tenantId?: string
  keys: readonly string[]
}

export const behaviourRef = (service: ServiceCode): Ref => ({ scope: service, kind: 'behaviour', key: 'all' })

/** The end of a call: its value, or the error it rejects with. */
type Ending<Value> = { value: Value } | { error: BackendError }

export async function runCommand<Document extends Remembered, Item extends CommandItem, Value>(
  deps: CallDeps,
  call: CommandCall<Document, Item, Value>,
): Promise<Outcome<Value>[]> {
  const asked: Asked = { method: call.method, keys: call.items.map(call.keyOf) }
  const { around, settings, calm, tooSlow } = await begin(deps, asked, call.around)
  const rules = call.rules(around, settings)
  const ending = await deps.documents.change(async (change): Promise<Ending<Outcome<Value>[]>> => {
    const taker = await takerOf(deps, change, calm)
    const fate = takeFate(taker, asked)
    const { outcomes, logged, lost } =
      fate === undefined
        ? await carryOut(change, call, rules, taker)
        : { outcomes: undefined, logged: asked.keys.map((key) => ({ key })), lost: fate.answer === 'lost' }
    const unanswered = lost || tooSlow || (outcomes && taker.takeCall('timeout-after-success', asked)) !== undefined
    const answer = fate?.answer ?? (unanswered ? 'lost' : 'given')
    await finish(deps, change, taker, call, logged, answer)
    if (fate?.answer === 'throttled') return { value: call.items.map(() => replyLater(THROTTLED, fate.afterMs)) }
    if (fate) return { error: fate.error(deps) }
    return answer === 'lost' ? { error: noAnswer(deps) } : { value: outcomes ?? [] }
  })
  if ('error' in ending) throw ending.error
  return ending.value
}

export async function runRead<Value>(
  deps: CallDeps,
  call: ReadCall,
  around: readonly Ref[],
  work: (around: unknown[]) => Value | Promise<Value>,
): Promise<Value> {
  const asked: Asked = { method: call.method, keys: call.keys }
  const begun = await begin(deps, asked, around)
  const error = await deps.documents.change(async (change) => {
    const taker = await takerOf(deps, change, begun.calm)
    const fate = takeFate(taker, asked)
    const lost = !fate && (begun.tooSlow || taker.takeCall('timeout-after-success', asked) !== undefined)
    const logged = call.keys.map((key) => ({ key }))
    await finish(deps, change, taker, call, logged, fate?.answer ?? (lost ? 'lost' : 'given'))
    return fate?.error(deps) ?? (lost ? noAnswer(deps) : undefined)
  })
  if (error) throw error
  return work(begun.around)
}

/** Reads the documents around a call and waits for the requested latency. */
async function begin(deps: CallDeps, asked: Asked, refs: readonly Ref[]) {
  const behaviourAt = behaviourRef(deps.service)
  const [content, ...around] = await deps.documents.read([behaviourAt, ...refs])
  const behaviour = asBehaviour(content)
  const waitMs = behaviour.misbehaviours.latency ? await takeLatency(deps, asked) : 0
  if (waitMs > 0) await deps.wait(Math.min(waitMs, deps.timeoutMs))
  return {
    around,
    settings: { ...deps.settings, ...behaviour.settings },
    calm: Object.keys(behaviour.misbehaviours).length === 0,
    tooSlow: waitMs >= deps.timeoutMs,
  }
}

const takeLatency = ({ documents, service }: CallDeps, asked: Asked): Promise<number> =>
  documents.change(async (change) => {
    const [content] = await change.read([behaviourRef(service)])
    const taker = new Taker(asBehaviour(content))
    const latency = taker.takeCall('latency', asked)
    await writeCounted(change, service, taker)
    return latency?.ms ?? 0
  })

async function takerOf({ service }: CallDeps, change: Change, calm: boolean): Promise<Taker> {
  const [content] = calm ? [] : await change.read([behaviourRef(service)])
  return new Taker(asBehaviour(content))
}

const writeCounted = async (change: Change, service: ServiceCode, taker: Taker): Promise<void> => {
  const behaviour = taker.changed()
  if (behaviour) await change.write([{ ref: behaviourRef(service), content: behaviour }])
}

interface Fate {
  answer: 'lost' | 'throttled' | 'unavailable'
  afterMs?: number
  error(deps: CallDeps): BackendError
}

/** A misbehaviour that keeps the whole call from having any effect. */
function takeFate(taker: Taker, asked: Asked): Fate | undefined {
  const away = taker.takeCall('unavailable', asked)
  if (away) return { answer: 'unavailable', error: () => unavailable(away.afterMs) }
  const throttle = taker.takeCall('throttle', asked)
  if (throttle) return { answer: 'throttled', afterMs: throttle.afterMs, error: () => throttled(throttle.afterMs) }
  return taker.takeCall('timeout-before', asked) && { answer: 'lost', error: noAnswer }
}

async function carryOut<Document extends Remembered, Item extends CommandItem, Value>(
  change: Change,
  { method, items, keyOf, refOf }: CommandCall<Document, Item, Value>,
  { act, value }: ReturnType<CommandCall<Document, Item, Value>['rules']>,
  taker: Taker,
): Promise<{ outcomes: Outcome<Value>[]; logged: LoggedItem[]; lost: boolean }> {
  const refs = new Map(items.map((item) => [refOf(item).key, refOf(item)]))
  const contents = await change.read([...refs.values()])
  const documents = new Map([...refs.keys()].map((key, index) => [key, contents[index] as Document | undefined]))

  const partial = items.length > 1 ? taker.takeCall('partial', { method, keys: items.map(keyOf) }) : undefined
  const results = items.map((item, index) => {
    if (partial && index % 2 === 1) {
      const { idempotencyKey, sequence } = item
      return {
        outcome: replyLater('Only a part of the call was taken.', partial.afterMs),
        logged: [{ key: keyOf(item), sequence, idempotencyKey, outcome: 'later', acted: false } satisfies LoggedItem],
        lost: false,
      }
    }
    const { key } = refOf(item)
    const document = documents.get(key) ?? (nothingRemembered() as Document)
    const { reply, lost, logged } = receive(document, method, item, quirksOf(taker, method, keyOf(item)), act)
    documents.set(key, document)
    return {
      outcome: reply.kind === 'done' ? { ...reply, value: value(item, document) } : reply,
      logged: logged.map((entry) => ({ key: keyOf(item), ...entry })),
      lost,
    }
  })
  await change.write(
    [...refs].map(([key, ref]) => ({ ref, content: documents.get(key) })).filter(({ content }) => content),
  )
  return {
    outcomes: results.map(({ outcome }) => outcome),
    logged: results.flatMap(({ logged }) => logged),
    lost: results.some(({ lost }) => lost),
  }
}

const quirksOf = (taker: Taker, method: CommandMethod, key: string): Quirks => ({
  holdBack: () => taker.takeItem('wrong-order', method, key) !== undefined,
  refuse: () => faultOf(taker.takeItem('refuse', method, key)),
  job: () => taker.takeItem('job', method, key),
})

const faultOf = (refusal: { code: string; message: string; target?: string } | undefined) =>
  refusal && {
    code: refusal.code,
    message: refusal.message,
    ...(refusal.target !== undefined && { target: refusal.target }),
  }

async function finish(
  { service, clock }: CallDeps,
  change: Change,
  taker: Taker,
  { method, tenantId }: { method: Method; tenantId?: string },
  items: LoggedItem[],
  answer: LoggedCall['answer'],
): Promise<void> {
  await writeCounted(change, service, taker)
  const at = clock.now().toISOString()
  await change.append(service, { at, method, ...(tenantId !== undefined && { tenantId }), items, answer })
}

const THROTTLED = 'TooManyRequests: the backend asked to be called less often.'

const replyLater = (reason: string, afterMs?: number): Extract<Reply, { kind: 'later' }> => ({
  kind: 'later',
  reason,
  ...(afterMs !== undefined && { afterMs }),
})

const unavailable = (afterMs: number | undefined): BackendError =>
  new BackendError(
    { code: 'ServiceUnavailable', message: 'The service is unavailable at the moment.' },
    { mayHaveActed: true, ...(afterMs !== undefined && { afterMs }) },
  )

const throttled = (afterMs: number): BackendError =>
  new BackendError({ code: 'TooManyRequests', message: THROTTLED }, { mayHaveActed: false, afterMs })

const noAnswer = ({ timeoutMs }: CallDeps): BackendError =>
  new BackendError({ code: 'Timeout', message: `No answer came within ${timeoutMs} ms.` }, { mayHaveActed: true })
