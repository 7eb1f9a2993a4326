/**
 * Which routes a path has, for APIs that answer everything under a prefix themselves: paths may end in actions
 * (`{name}/keys/{which}:rotate`), which the server's router is not made for, and another method of a known path gets
 * its own answer.
 */

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

export interface MatchOptions<Route> {
  /** The prefix that all paths are under, without a slash at its end. */
  under: string
  /** The path of a route below the prefix, with parameters as `{name}`. */
  pathOf: (route: Route) => string
  ignoreCase?: boolean
}

/** Routes that a path is matched against; the first that fits wins, so literal paths go before parameters. */
export function createMatcher<Route>(
  routes: readonly Route[],
  { under, pathOf, ignoreCase = false }: MatchOptions<Route>,
): Matcher<Route> {
  const flags = ignoreCase ? 'is' : 's'
  const lone = routes.some((route) => pathOf(route).includes('}:')) ? NAME : '.+'
  const shapes = new Map<string, Shape<Route>>()
  for (const route of routes) {
    const path = pathOf(route)
    const shape = shapes.get(path) ?? {
      segments: segmentsOf(under + path).map((segment) => toPattern(segment, lone, flags)),
      routes: [],
    }
    shape.routes.push(route)
    shapes.set(path, shape)
  }
  const ordered = [...shapes].sort(([a], [b]) => parameterCount(a) - parameterCount(b)).map(([, shape]) => shape)
  return (path) => {
    const segments = segmentsOf(path).map(decode)
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

/** A colon would begin an action, and the database takes no NUL in a text. */
const NAME = '[^:\\0]+'

const parameterCount = (path: string): number => path.split('{').length - 1

const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '')

/** @param lone what a parameter without an action may be */
function toPattern(segment: string, lone: string, flags: string): RegExp {
  const [, name, action] = /^\{(\w+)\}(:\w+)?$/.exec(segment) ?? []
  if (name === undefined) return new RegExp(`^${segment.replace(/[^\w]/g, '\\$&')}$`, flags)
  return new RegExp(action === undefined ? `^(?<${name}>${lone})$` : `^(?<${name}>${NAME})${action}$`, flags)
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
