/**
 * Reads what came over the wire by a schema: tolerant as the published APIs are (unknown properties are ignored, enums
 * are taken in any letter case, null in place of an optional value means it is absent), strict about the rest, and
 * with messages that say what would be right.
 */
import type { Static, TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { invalidInput, type DomainError } from '../errors.js'

export interface ReaderOptions {
  /** Values are texts, as in a query string: digits are read as a number where the schema wants one. */
  fromText?: boolean
}

/** Makes a reader for `schema`; the reader throws 'invalid-input' with the path of the first fault as target. */
export function reader<Schema extends TSchema>(
  schema: Schema,
  { fromText = false }: ReaderOptions = {},
): (value: unknown) => Static<Schema> {
  const compiled = Compile(schema)
  return (value) => {
    const tidied = tidy(schema, value, fromText)
    if (compiled.Check(tidied)) return tidied
    throw fault(schema, tidied, compiled.Errors(tidied)[0] as Fault)
  }
}

interface Fault {
  keyword: string
  instancePath: string
  params: object
  message: string
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const asObject = (schema: TSchema): TObject | undefined =>
  'properties' in schema ? (schema as unknown as TObject) : undefined

/** What may be null, when it is not. */
const whenPresent = (schema: TSchema): TSchema =>
  'anyOf' in schema ? ((schema.anyOf as TSchema[]).find((part) => !isNull(part)) ?? schema) : schema

const isNull = (schema: TSchema): boolean => 'type' in schema && schema.type === 'null'

/** What every element of an array, or every value of an object with free names, has to be. */
function elementOf(schema: TSchema): TSchema | undefined {
  const { items, patternProperties = {} } = schema as {
    items?: TSchema
    patternProperties?: Record<string, TSchema>
  }
  return items ?? Object.values(patternProperties)[0]
}

/** The same value with only what the schema knows, in the spelling that the schema has. */
function tidy(given: TSchema, value: unknown, fromText: boolean): unknown {
  const schema = whenPresent(given)
  const element = elementOf(schema)
  if (element && Array.isArray(value)) return value.map((item) => tidy(element, item, fromText))
  if (element && isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, tidy(element, part, fromText)]))
  }
  const object = asObject(schema)
  if (object && isRecord(value)) {
    const required = new Set<string>(object.required)
    const known = Object.entries(object.properties).filter(
      ([name]) => Object.hasOwn(value, name) && (value[name] !== null || required.has(name)),
    )
    return Object.fromEntries(known.map(([name, part]) => [name, tidy(part, value[name], fromText)]))
  }
  if (typeof value !== 'string') return value
  const choices = choicesOf(schema)
  if (choices) return choices.find((choice) => choice.toLowerCase() === value.toLowerCase()) ?? value
  if (fromText && 'type' in schema && schema.type === 'integer' && /^-?\d{1,15}$/.test(value)) return Number(value)
  return value
}

const choicesOf = (schema: TSchema): string[] | undefined =>
  'enum' in schema && Array.isArray(schema.enum) ? (schema.enum as string[]) : undefined

function fault(schema: TSchema, value: unknown, { keyword, instancePath, params, message }: Fault): DomainError {
  const path = instancePath.split('/').slice(1).map(unescapePointer)
  if (keyword === 'required' && 'requiredProperties' in params) {
    const missing = [...path, (params.requiredProperties as string[])[0] as string]
    return invalidInput(`${shown(missing)} is required: ${expected(partAt(schema, missing))}.`, target(missing))
  }
  const what = path.length === 0 ? 'The body' : shown(path)
  const part = partAt(schema, path)
  const given = inWords(valueAt(value, path))
  const wanted = part ? expected(part) : message
  return invalidInput(`${what} must be ${wanted}, not ${given}.`, target(path))
}

/** A value as a message shows it; never its inside, which may be of any depth. */
const inWords = (value: unknown): string => {
  if (Array.isArray(value)) return 'an array'
  return isRecord(value)
    ? 'an object'
    : ((JSON.stringify(value) as string | undefined) ?? 'nothing').slice(0, MAX_SHOWN_CHARS)
}
const MAX_SHOWN_CHARS = 100

const unescapePointer = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~')

/** Names that the client has chosen may be of any length. */
const shown = (path: string[]): string => path.map((name) => name.slice(0, MAX_SHOWN_CHARS)).join('.')

const target = (path: string[]): string | undefined => (path.length === 0 ? undefined : shown(path).toLowerCase())

const partAt = (schema: TSchema, path: string[]): TSchema | undefined =>
  path.reduce<TSchema | undefined>((part, name) => {
    const whole = part && whenPresent(part)
    return whole && (elementOf(whole) ?? asObject(whole)?.properties[name])
  }, schema)

const valueAt = (value: unknown, path: string[]): unknown =>
  path.reduce<unknown>((part, name) => (Array.isArray(part) || isRecord(part) ? part[name as never] : undefined), value)

/** What the schema wants, in words. */
function expected(schema: TSchema | undefined): string {
  if (!schema) return 'a value'
  const whole = whenPresent(schema)
  if (whole !== schema) return `${expected(whole)} or null`
  const choices = choicesOf(schema)
  if (choices) return `one of ${choices.join(', ')}`
  const type = 'type' in schema ? schema.type : undefined
  const { minimum, maxLength } = schema as { minimum?: number; maxLength?: number }
  if (type === 'integer') return minimum === undefined ? 'a whole number' : `a whole number, ${minimum} or more`
  if (type === 'boolean') return 'true or false'
  if (type === 'object') return 'a JSON object'
  if (type === 'array') return 'an array'
  if (type === 'string') return maxLength === undefined ? 'a text' : `a plain text of at most ${maxLength} characters`
  return 'a value of the right type'
}
