import type { Static, TObject } from 'typebox'

type Given<Value> = Value extends (infer Item)[] ? readonly Item[] : Value
type OptionalKeys<Shape> = { [Key in keyof Shape]-?: object extends Pick<Shape, Key> ? Key : never }[keyof Shape]

/** The input of a shape: optional values may be undefined or null, and lists are read-only. */
export type Makings<Shape> = {
  readonly [Key in Exclude<keyof Shape, OptionalKeys<Shape>>]: Given<Shape[Key]>
} & {
  readonly [Key in OptionalKeys<Shape>]?: Given<Exclude<Shape[Key], undefined>> | null | undefined
}

/**
 * An object with only the schema's properties, in the schema's order. Optional ones that are undefined or null are left
 * out.
 */
export function shaped<Schema extends TObject>(schema: Schema, makings: Makings<Static<Schema>>): Static<Schema> {
  const values = makings as Record<string, unknown>
  const shape: Record<string, unknown> = {}
  for (const { name, required } of propertiesOf(schema)) {
    const value = values[name]
    if (required || (value !== undefined && value !== null)) shape[name] = value
  }
  return shape as Static<Schema>
}

interface Property {
  name: string
  required: boolean
}

/** Computed once for each schema: a page of numbers has thousands of objects. */
function propertiesOf(schema: TObject): readonly Property[] {
  const known = properties.get(schema)
  if (known) return known
  const required = new Set<string>(schema.required)
  const found = Object.keys(schema.properties).map((name) => ({ name, required: required.has(name) }))
  properties.set(schema, found)
  return found
}
const properties = new WeakMap<TObject, readonly Property[]>()
