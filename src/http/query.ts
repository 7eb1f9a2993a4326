import { invalidInput } from '../errors.js'

/** A query string's parameters: values by name, names in lower case because they match in any letter case. */
export type QueryParameters = ReadonlyMap<string, readonly string[]>

/**
 * The parameters called `names` as an object with names spelled that way. Throws 'invalid-input' for one that is given
 * more than once.
 */
export function pickQuery(query: QueryParameters, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const values = query.get(name.toLowerCase())
    if (values === undefined) continue
    if (values.length > 1) {
      throw invalidInput(
        `The query parameter ${name} is given ${values.length} times; give it once.`,
        name.toLowerCase(),
      )
    }
    picked[name] = values[0] as string
  }
  return picked
}
