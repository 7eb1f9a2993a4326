/** The script book: the scripted courses of an emulator's operations. Pure; the routes are in `routes/scripts.ts`. */
import type { Course, OperationFailure, OperationKind } from '../../operations/operation.js'

export interface Script {
  id: string
  /** Undefined: operations of every kind. */
  operation?: OperationKind | undefined
  /** The name of the resource whose operations it is for; undefined: all resources. */
  resource?: string | undefined
  /** How many operations it is for; undefined: all. */
  times?: number | undefined
  /** How many of these are left; there when `times` is. */
  left?: number | undefined
  /** Undefined with neither `polls` nor `byHand`: at once. */
  afterMs?: number | undefined
  polls?: number | undefined
  byHand?: true | undefined
  failure?: OperationFailure | undefined
}

export class ScriptBook {
  #scripts: readonly Script[] = []
  readonly #onUse: () => void

  /** @param onUse called when an operation has used a script that isn't for all of them */
  constructor(onUse: () => void = () => {}) {
    this.#onUse = onUse
  }

  read(): readonly Script[] | undefined {
    return this.#scripts.length === 0 ? undefined : this.#scripts
  }

  apply(scripts: readonly Script[] | undefined): void {
    this.#scripts = scripts ?? []
  }

  /** Finds the course of each operation that starts: that of the first script for it, or else the usual one. */
  coursesOver(usual: Readonly<Record<OperationKind, Course>>): (kind: OperationKind, resourceName: string) => Course {
    return (kind, resourceName) => this.#scripted(kind, resourceName) ?? usual[kind]
  }

  #scripted(kind: OperationKind, resourceName: string): Course | undefined {
    const script = this.#scripts.find(
      ({ operation = kind, resource = resourceName, left = 1 }) =>
        operation === kind && resource === resourceName && left > 0,
    )
    if (!script) return undefined
    if (script.left !== undefined) this.#use(script, script.left)
    const { afterMs = 0, polls, byHand, failure } = script
    return { delayMs: afterMs, ...(polls && { polls }), ...(byHand && { byHand }), ...(failure && { failure }) }
  }

  #use(script: Script, left: number): void {
    this.#scripts = this.#scripts.map((other) => (other === script ? { ...script, left: left - 1 } : other))
    this.#onUse()
  }
}
