/** The routes that add, list and remove injected faults. */
import Type, { type Static } from 'typebox'
import { DomainError, invalidInput, notFound } from '../../errors.js'
import { newId } from '../../ids.js'
import {
  faultEffects,
  patternsOf,
  type Fault,
  type FaultBook,
  type FaultEffect,
  type RoutedOperation,
} from '../inject/faults.js'
import type { EmulatorSettings } from '../state/settings.js'
import { readBody } from './input.js'
import { Made, type ControlRoute } from './routes.js'

export interface FaultControlDeps {
  faults: FaultBook
  settings: EmulatorSettings
  /** Every operation of both APIs. */
  operations: readonly RoutedOperation[]
}

export const FAULTS_SETTING = 'faults'
const MAX_FAULTS = 200
const MAX_DELAY_MS = 60_000
const DEFAULT_SEED = 1
const MAX_SUGGESTED = 3

const strictly = { additionalProperties: false }
const NewFault = Type.Object(
  {
    route: Type.String({ minLength: 1, maxLength: 500 }),
    effect: Type.Enum([...faultEffects]),
    status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
    // They become headers, or stand beside some.
    code: Type.Optional(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9._-]{0,99}$' })),
    message: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
    retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
    delayMs: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DELAY_MS })),
    probability: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
    times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  strictly,
)
const AllFaults = Type.Object({ faults: Type.Array(NewFault, { maxItems: MAX_FAULTS }) }, strictly)

export const faultRoutes = (deps: FaultControlDeps): ControlRoute[] => [
  ['GET', '/faults', () => shown(deps)],
  ['PUT', '/faults', (request) => replaceFaults(deps, readBody(AllFaults, request).faults)],
  ['POST', '/faults', (request) => addFault(deps, readBody(NewFault, request))],
  ['DELETE', '/faults', () => deps.settings.change(FAULTS_SETTING, () => undefined)],
  ['DELETE', '/faults/{id}', (_request, { id = '' }) => removeFault(deps, id)],
]

const shown = ({ faults }: FaultControlDeps): object => ({ faults: faults.read() ?? [] })

async function replaceFaults(deps: FaultControlDeps, wanted: Static<typeof NewFault>[]): Promise<object> {
  const faults = wanted.map((one, index) => toFault(deps, one, `faults.${index}.`))
  await deps.settings.change(FAULTS_SETTING, () => faults)
  return shown(deps)
}

async function addFault(deps: FaultControlDeps, wanted: Static<typeof NewFault>): Promise<Made> {
  const fault = toFault(deps, wanted)
  await deps.settings.change<readonly Fault[]>(FAULTS_SETTING, (faults = []) => {
    // Used-up faults are only kept to be shown.
    const isLeft = ({ times = Infinity, struck }: Fault) => struck < times
    const kept = faults.length < MAX_FAULTS ? faults : faults.filter(isLeft)
    if (kept.length >= MAX_FAULTS) {
      throw new DomainError('state-conflict', `There are ${kept.length} faults, which is the most. Remove some.`)
    }
    return [...kept, fault]
  })
  return new Made(fault)
}

const removeFault = ({ settings }: FaultControlDeps, id: string): Promise<void> =>
  settings.change<readonly Fault[]>(FAULTS_SETTING, (faults = []) => {
    const left = faults.filter((fault) => fault.id !== id)
    if (left.length === faults.length) throw notFound(`There is no fault ${id}; GET /_emulator/faults lists them.`)
    return left.length === 0 ? undefined : left
  })

/** The properties that belong to one effect only. */
const PARTS: Readonly<Record<FaultEffect, readonly (keyof Static<typeof NewFault>)[]>> = {
  answer: ['status', 'code', 'message', 'retryAfterSeconds'],
  delay: ['delayMs'],
  cut: [],
  'lose-answer': [],
}

function toFault({ operations }: FaultControlDeps, wanted: Static<typeof NewFault>, place = ''): Fault {
  const { route, effect, probability = 1, seed = DEFAULT_SEED } = wanted
  if (patternsOf(operations, route) === undefined) throw invalidInput(routeProblem(operations, route), `${place}route`)
  for (const [other, parts] of Object.entries(PARTS)) {
    const stray = other === effect ? undefined : parts.find((part) => wanted[part] !== undefined)
    if (stray !== undefined) {
      throw invalidInput(`${place}${stray} goes with the effect ${other}, not with ${effect}.`, `${place}${stray}`)
    }
  }
  const needed = ({ answer: 'status', delay: 'delayMs' } as const)[effect as string]
  if (needed !== undefined && wanted[needed] === undefined) {
    throw invalidInput(
      `The effect ${effect} needs ${needed}, e.g. ${needed === 'status' ? 503 : 1500}.`,
      `${place}${needed}`,
    )
  }
  return { ...wanted, id: newId(), probability, seed, met: 0, struck: 0 }
}

function routeProblem(operations: readonly RoutedOperation[], route: string): string {
  const words = route.toLowerCase().replace(/^.*_/, '')
  const near = [...new Set(operations.map(({ operationId }) => operationId))].filter((id) =>
    words.length > 2 ? id.toLowerCase().includes(words) : false,
  )
  const hint = near.length > 0 ? ` Is ${near.slice(0, MAX_SUGGESTED).join(' or ')} meant?` : ''
  return (
    `route "${route.slice(0, 100)}" is no operation, e.g. PhoneNumbers_SearchAvailablePhoneNumbers, and no method with ` +
    `a path, e.g. GET /phoneNumbers/{number} or * /availablePhoneNumbers/*.${hint}`
  )
}
