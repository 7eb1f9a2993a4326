/**
 * Which operations a path has. Paths end in actions (`{name}/keys/{which}:rotate`), which the server's router, shared
 * with the other APIs, is not made for; and are case-sensitive.
 */
import { BASE_PATH, type OperationContract } from '../contract/operation.js'

export interface PathMatch<Route> {
  /** Of any method. */
  routes: readonly Route[]
  /** Decoded. */
  params: Readonly<Record<string, string>>
}

interface Shape<Route> {
  segments: readonly RegExp[]
  routes: Route[]
}

export type Matcher<Route> = (path: string) => PathMatch<Route> | undefined

/** Routes that a path is matched against; the first that fits wins, so literal paths go before parameters. */
export function createMatcher<Route extends readonly [OperationContract, ...unknown[]]>(
  routes: readonly Route[],
): Matcher<Route> {
  const shapes = new Map<string, Shape<Route>>()
  for (const route of routes) {
    const [{ path }] = route
    const shape = shapes.get(path) ?? { segments: segmentsOf(path).map(toPattern), routes: [] }
    shape.routes.push(route)
    shapes.set(path, shape)
  }
  const ordered = [...shapes].sort(([a], [b]) => parameterCount(a) - parameterCount(b)).map(([, shape]) => shape)
  return (path) => {
    if (!path.startsWith(`${BASE_PATH}/`)) return undefined
    const segments = segmentsOf(path.slice(BASE_PATH.length)).map(decode)
    if (segments.includes(undefined)) return undefined
    for (const shape of ordered) {
      if (shape.segments.length !== segments.length) continue
      const found = shape.segments.map((pattern, index) => pattern.exec(segments[index] as string))
      if (found.includes(null)) continue
      const params = Object.assign({}, ...found.map((match) => match?.groups ?? {})) as Record<string, string>
      return { routes: shape.routes, params }
    }
    return undefined
  }
}

const parameterCount = (path: string): number => path.split('{').length - 1

const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '')

/** A parameter with an action behind it, or alone: names never hold a colon, so what has one is an action. */
function toPattern(segment: string): RegExp {
  const [, name, action = ''] = /^\{(\w+)\}(:\w+)?$/.exec(segment) ?? []
  if (name === undefined) return new RegExp(`^${segment.replace(/[^\w]/g, '\\$&')}$`)
  return new RegExp(`^(?<${name}>[^:]+)${action}$`, 's')
}

/** Undefined for what no name has: the database takes no NUL in a text. */
function decode(segment: string): string | undefined {
  try {
    const text = decodeURIComponent(segment)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}
