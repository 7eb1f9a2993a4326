/**
 * The fault book: the injected faults of an emulator, and which requests they strike. Pure and deterministic: the same
 * seed and the same requests give the same faults. The hooks that inject them are in `fault-hooks.ts`.
 */

export const faultEffects = ['answer', 'delay', 'cut', 'lose-answer'] as const
export type FaultEffect = (typeof faultEffects)[number]

export interface Fault {
  id: string
  /** An operationId, or a method (or `*`) and a path with `{name}` for one segment and `*` for any text. */
  route: string
  effect: FaultEffect
  /** answer: the status of the response, which is sent before anything is done. */
  status?: number | undefined
  code?: string | undefined
  message?: string | undefined
  retryAfterSeconds?: number | undefined
  /** delay: how long the request waits before it goes on. */
  delayMs?: number | undefined
  probability: number
  seed: number
  /** How often it may strike; undefined: without limit. */
  times?: number | undefined
  /** How many requests matched it, and how many of them it struck. */
  met: number
  struck: number
}

/** An operation of an API: the parts that identify its requests. */
export interface RoutedOperation {
  operationId: string
  method: string
  /** In OpenAPI's form. */
  path: string
}

interface Pattern {
  method: string
  path: RegExp
}

export class FaultBook {
  readonly #operations: readonly RoutedOperation[]
  readonly #onUse: () => void
  #faults: readonly { fault: Fault; patterns: readonly Pattern[] }[] = []

  constructor(operations: readonly RoutedOperation[], onUse: () => void = () => {}) {
    this.#operations = operations
    this.#onUse = onUse
  }

  get isEmpty(): boolean {
    return this.#faults.length === 0
  }

  read(): readonly Fault[] | undefined {
    return this.isEmpty ? undefined : this.#faults.map(({ fault }) => fault)
  }

  apply(faults: readonly Fault[] | undefined): void {
    this.#faults = (faults ?? []).map((fault) => ({
      // Copied, because it is counted here from now on.
      fault: { ...fault },
      patterns: patternsOf(this.#operations, fault.route) ?? [],
    }))
  }

  /**
   * The faults of a request: delays, and after them the first other effect that strikes. A fault counts the requests
   * that matched it, and whether it strikes depends on nothing else.
   */
  strike(method: string, path: string): { delayMs: number; fault: Fault | undefined } {
    let delayMs = 0
    let isUsed = false
    let struck: Fault | undefined
    for (const { fault, patterns } of this.#faults) {
      const isFor = patterns.some((one) => (one.method === '*' || one.method === method) && one.path.test(path))
      if (!isFor || fault.struck >= (fault.times ?? Infinity)) continue
      isUsed = true
      if (chance(fault.seed, fault.met++) >= fault.probability) continue
      fault.struck++
      if (fault.effect === 'delay') {
        delayMs += fault.delayMs ?? 0
        continue
      }
      struck = fault
      break
    }
    if (isUsed) this.#onUse()
    return { delayMs, fault: struck }
  }
}

/** The patterns of a route; undefined when it is neither an operation nor a method and a path. */
export function patternsOf(operations: readonly RoutedOperation[], route: string): Pattern[] | undefined {
  const named = operations.filter(({ operationId }) => operationId.toLowerCase() === route.toLowerCase())
  if (named.length > 0) return named.map(({ method, path }) => ({ method, path: toPattern(path) }))
  const [, method, path] = /^([A-Za-z]+|\*) +(\/\S*)$/.exec(route) ?? []
  return method === undefined || path === undefined
    ? undefined
    : [{ method: method.toUpperCase(), path: toPattern(path) }]
}

/** The path of a request in the form that routes are compared with: no query, single slashes, none at the end. */
export const comparable = (target: string): string =>
  (target.split('?', 1)[0] ?? '').replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')

/** A parameter matches neither a slash nor the colon of an action. */
function toPattern(path: string): RegExp {
  const parts = comparable(path).split(/(\{\w+\}|\*)/)
  const source = parts.map((part) =>
    part === '*' ? '.*' : /^\{\w+\}$/.test(part) ? '[^/:]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
  )
  return new RegExp(`^${source.join('')}$`, 'i')
}

const GOLDEN = 0x9e3779b9

/** The `index`th of a seed's numbers from 0 to below 1 (splitmix32: each is independent of the one before). */
export function chance(seed: number, index: number): number {
  let mixed = (seed + Math.imul(index + 1, GOLDEN)) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000
}
