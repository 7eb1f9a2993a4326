/**
 * Finds the operations of a path. Paths of this API are case-sensitive and may end in actions
 * (`{accountName}:{action}`), which the server's router, shared with another API, doesn't support.
 */
import type { OperationContract } from './contract/operation.js'
import { operations as operations2024 } from './contract/operations.js'
import { operations as operations2023 } from './facade-2023/operations.js'

export interface PathMatch {
  /** For every method and version. */
  operations: readonly OperationContract[]
  /** Decoded. */
  params: Readonly<Record<string, string>>
}

interface Shape {
  segments: readonly RegExp[]
  operations: OperationContract[]
}

const shapes = new Map<string, Shape>()
for (const operation of [...operations2024, ...operations2023]) {
  for (const path of [operation.path, ...operation.aliases]) {
    // The two versions call a parameter of the same place by different names.
    const key = path.replace(/\{\w+\}/g, '{}')
    const shape = shapes.get(key) ?? { segments: segmentsOf(path).map(toPattern), operations: [] }
    shape.operations.push(operation)
    shapes.set(key, shape)
  }
}

/**
 * Finds a path, `undefined` if there is none. Extra slashes at the start or the end do no harm; an empty segment
 * between others is a parameter that was left empty, and dropping it would give another path.
 */
export function matchPath(path: string): PathMatch | undefined {
  const segments = segmentsOf(path).map(decode)
  if (segments.includes(undefined)) return undefined
  for (const shape of shapes.values()) {
    if (shape.segments.length !== segments.length) continue
    const found = shape.segments.map((pattern, index) => pattern.exec(segments[index] as string))
    if (found.includes(null)) continue
    const params = Object.assign({}, ...found.map((match) => match?.groups ?? {})) as Record<string, string>
    return { operations: shape.operations, params }
  }
  return undefined
}

function segmentsOf(path: string): string[] {
  const segments = path.split('/')
  const isSaid = (segment: string) => segment !== ''
  return segments.slice(segments.findIndex(isSaid), segments.findLastIndex(isSaid) + 1)
}

/** A name never contains a colon, so an action follows the last colon, and a parameter without an action has none. */
function toPattern(segment: string): RegExp {
  const [, name, action = ''] = /^\{(\w+)\}(:\w+)?$/.exec(segment) ?? []
  if (name === undefined) return new RegExp(`^${segment.replace(/[^\w]/g, '\\$&')}$`)
  // An account's name that is wrong in any other way is reported as wrong.
  return action === '' && name === 'accountName'
    ? new RegExp(`^(?<${name}>[^:]*)$`, 's')
    : new RegExp(`^(?<${name}>.*)${action}$`, 's')
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
