/** The routes that script operations, and those that move a pending one on by hand. */
import Type, { type Static } from 'typebox'
import type { Queryable } from '../../db/db.js'
import { DomainError, invalidInput, notFound } from '../../errors.js'
import { pickQuery, type QueryParameters } from '../../http/query.js'
import type { FastifyRequest } from '../../http/server.js'
import { newId } from '../../ids.js'
import { operationKinds, type OperationFailure } from '../../operations/operation.js'
import { durationMs } from '../inject/duration.js'
import type { Script, ScriptBook } from '../inject/scripts.js'
import { findPending, listPending } from '../state/pending-operations.js'
import type { EmulatorSettings } from '../state/settings.js'
import { readBody } from './input.js'
import { Made, type ControlRoute } from './routes.js'

/** How an operation can be moved on by hand. */
export type ByHand = { to: 'running' } | { to: 'succeeded' } | { to: 'failed'; failure: OperationFailure }

export interface ScriptControlDeps {
  db: Queryable
  scripts: ScriptBook
  settings: EmulatorSettings
  /** The published codes of failures: they need no message. */
  failureCodes: readonly string[]
  /** Moves a pending operation on. Throws DomainErrors. */
  advance: (resourceId: string, operationId: string, to: ByHand) => Promise<unknown>
}

export const SCRIPTS_SETTING = 'scripts'
const MAX_SCRIPTS = 200
const MAX_AFTER_MS = 30 * 24 * 60 * 60_000
const MAX_PENDING = 1_000

const strictly = { additionalProperties: false }
const Failure = Type.Object(
  {
    code: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9._-]{0,99}$' }),
    message: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
  },
  strictly,
)
const NewScript = Type.Object(
  {
    operation: Type.Optional(Type.Enum([...operationKinds])),
    resource: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    after: Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Integer({ minimum: 0 })])),
    polls: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    byHand: Type.Optional(Type.Literal(true)),
    failure: Type.Optional(Failure),
  },
  strictly,
)
const AllScripts = Type.Object({ scripts: Type.Array(NewScript, { maxItems: MAX_SCRIPTS }) }, strictly)
const Move = Type.Object(
  { status: Type.Enum(['running', 'succeeded', 'failed']), error: Type.Optional(Failure) },
  strictly,
)

export const scriptRoutes = (deps: ScriptControlDeps): ControlRoute[] => [
  ['GET', '/scripts', () => shown(deps)],
  ['PUT', '/scripts', (request) => replaceScripts(deps, readBody(AllScripts, request).scripts)],
  ['POST', '/scripts', (request) => addScript(deps, readBody(NewScript, request))],
  ['DELETE', '/scripts', () => deps.settings.change(SCRIPTS_SETTING, () => undefined)],
  ['DELETE', '/scripts/{id}', (_request, { id = '' }) => removeScript(deps, id)],
  ['GET', '/operations', (request) => showPending(deps, request)],
  [
    'POST',
    '/operations/{operationId}',
    (request, { operationId = '' }) => moveByHand(deps, request, operationId, readBody(Move, request)),
  ],
]

const shown = ({ scripts }: ScriptControlDeps): object => ({ scripts: scripts.read() ?? [] })

async function replaceScripts(deps: ScriptControlDeps, wanted: Static<typeof NewScript>[]): Promise<object> {
  const scripts = wanted.map((one, index) => toScript(deps, one, `scripts.${index}.`))
  await deps.settings.change(SCRIPTS_SETTING, () => scripts)
  return shown(deps)
}

async function addScript(deps: ScriptControlDeps, wanted: Static<typeof NewScript>): Promise<Made> {
  const script = toScript(deps, wanted)
  await deps.settings.change<readonly Script[]>(SCRIPTS_SETTING, (scripts = []) => {
    // Used-up scripts are only kept to be shown.
    const kept = scripts.length < MAX_SCRIPTS ? scripts : scripts.filter(({ left = 1 }) => left > 0)
    if (kept.length >= MAX_SCRIPTS) {
      throw new DomainError('state-conflict', `There are ${kept.length} scripts, which is the most. Remove some.`)
    }
    return [...kept, script]
  })
  return new Made(script)
}

const removeScript = ({ settings }: ScriptControlDeps, id: string): Promise<void> =>
  settings.change<readonly Script[]>(SCRIPTS_SETTING, (scripts = []) => {
    const left = scripts.filter((script) => script.id !== id)
    if (left.length === scripts.length) throw notFound(`There is no script ${id}; GET /_emulator/scripts lists them.`)
    return left.length === 0 ? undefined : left
  })

function toScript(deps: Pick<ScriptControlDeps, 'failureCodes'>, wanted: Static<typeof NewScript>, place = ''): Script {
  const { operation, resource, times, after, polls, byHand, failure } = wanted
  const waits = [after, polls, byHand].filter((wait) => wait !== undefined)
  if (waits.length > 1) {
    throw invalidInput('An operation goes after a time, after polls or by hand: give one of these.', `${place}after`)
  }
  const afterMs = typeof after === 'string' ? durationMs(after) : after
  if ((after !== undefined && afterMs === undefined) || (afterMs ?? 0) > MAX_AFTER_MS) {
    throw invalidInput(
      `${place}after must be milliseconds, e.g. 1500, or an ISO 8601 duration, e.g. PT1.5S; at most 30 days.`,
      `${place}after`,
    )
  }
  return {
    id: newId(),
    operation,
    resource,
    ...(times !== undefined && { times, left: times }),
    afterMs,
    polls,
    byHand,
    failure: failure && toFailure(deps, failure, `${place}failure`),
  }
}

function toFailure(
  { failureCodes }: Pick<ScriptControlDeps, 'failureCodes'>,
  { code, message }: Static<typeof Failure>,
  place: string,
): OperationFailure {
  if (message !== undefined) return { code, message }
  if (failureCodes.includes(code)) return { code, message: `${code}, as scripted.` }
  throw invalidInput(
    `${place}.code ${code} is none of the published ones, so give a message with it. Those are ${failureCodes.join(', ')}.`,
    `${place}.message`,
  )
}

async function showPending({ db }: ScriptControlDeps, request: FastifyRequest): Promise<object> {
  return { operations: await listPending(db, resourceIn(request), MAX_PENDING) }
}

async function moveByHand(
  deps: ScriptControlDeps,
  request: FastifyRequest,
  operationId: string,
  { status, error }: Static<typeof Move>,
): Promise<object | undefined> {
  if (status === 'failed' && error === undefined) {
    throw invalidInput('error is needed with failed, e.g. {"code": "OutOfStock"}.', 'error')
  }
  if (status !== 'failed' && error !== undefined) throw invalidInput('error only goes with failed.', 'error')
  const failure = error && toFailure(deps, error, 'error')
  const resource = resourceIn(request)
  const [found, other] = isStorable(operationId) ? await findPending(deps.db, operationId, resource) : []
  if (!found) {
    const whose = resource === undefined ? '' : ` of ${resource}`
    throw notFound(`No operation ${operationId}${whose} is pending; GET /_emulator/operations lists those that are.`)
  }
  if (other) {
    throw invalidInput(
      `${found.resource} and ${other.resource} both have an operation ${operationId}: say whose with ?resource=.`,
      'resource',
    )
  }
  await deps.advance(found.resourceId, operationId, failure ? { to: 'failed', failure } : ({ to: status } as ByHand))
  return { id: operationId, resource: found.resource, status }
}

/** `?resource=` of a request; the name of one. */
function resourceIn({ query }: FastifyRequest): string | undefined {
  const parameters = query as QueryParameters
  const other = [...parameters.keys()].find((name) => name !== 'resource')
  if (other !== undefined) throw invalidInput(`${other} is not known here; resource is.`, other)
  const { resource } = pickQuery(parameters, ['resource'])
  if (resource !== undefined && !isStorable(resource)) throw invalidInput('resource must be a name.', 'resource')
  return resource
}

/** The database has no texts with a zero character. */
const isStorable = (text: string): boolean => !text.includes('\0')
