/**
 * Reads what came over the wire by a schema, strictly: no other properties, exact types, names and letter case. Null in
 * place of an optional value means that it is absent, read-only properties are dropped. Every fault is told, not only
 * the first.
 *
 * Why not the compiled checks of TypeBox: they answer for a value as it is, and we drop parts of it and name every fault
 * with its place and what would be right.
 */
import type { Static, TSchema } from 'typebox'
import { DomainError } from '../../errors.js'

/** More faults of one request than these are not told. */
const MAX_FAULTS = 100
const MAX_SHOWN_CHARS = 100

/** What is found wrong, up to a limit that several lists may share. */
export class Faults {
  readonly all: DomainError[] = []
  private readonly budget: { left: number }

  constructor(sharedWith?: Faults) {
    this.budget = sharedWith?.budget ?? { left: MAX_FAULTS }
  }

  /** @param path where, such as `numbers[3].telephoneNumber`; empty for the whole body */
  add(path: string, message: string): void {
    // The first of each list is always told.
    if (this.all.length > 0 && this.budget.left-- <= 0) return
    this.all.push(new DomainError('invalid-body', message, path === '' ? {} : { target: path }))
  }

  /** Throws 'invalid-body' with all of them, if there are any. */
  throwIfAny(): void {
    const [first, ...others] = this.all
    if (first === undefined) return
    throw new DomainError(
      'invalid-body',
      others.length === 0 ? first.message : `The body has ${this.all.length} faults. ${first.message}`,
      { faults: this.all, ...(first.target !== undefined && { target: first.target }) },
    )
  }
}

/** Reads a value that stands at `path`; what is wrong goes to `faults`, and then the value given back is worth nothing. */
export type Reader<Value> = (value: unknown, path: string, faults: Faults) => Value

/** The parts of JSON Schema that the requests of this API are written in. */
interface Schema {
  readOnly?: boolean
  type?: 'object' | 'array' | 'string' | 'boolean'
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  maxItems?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  anyOf?: Schema[]
}

/** Makes the reader of a schema. Throws at once for a schema that says what it doesn't understand. */
export const strictReader = <Wanted extends TSchema>(schema: Wanted): Reader<Static<Wanted>> =>
  readerOf(schema) as Reader<Static<Wanted>>

/** Reads a whole body. Throws 'invalid-body' with every fault. */
export function readWhole<Value>(read: Reader<Value>, body: unknown): Value {
  const faults = new Faults()
  const value = read(body, '', faults)
  faults.throwIfAny()
  return value
}

function readerOf(schema: Schema): Reader<unknown> {
  if (schema.anyOf) return nullableReader(schema.anyOf)
  switch (schema.type) {
    case 'object':
      return objectReader(schema)
    case 'array':
      return arrayReader(schema)
    case 'string':
      return stringReader(schema)
    case 'boolean':
      return (value, path, faults) => {
        if (typeof value !== 'boolean') faults.add(path, mustBe(path, 'true or false', value))
        return value
      }
    default:
      if (Object.keys(schema).length === 0) return (value) => value
      throw new Error(`A schema of requests can't be read strictly: ${JSON.stringify(schema)}`)
  }
}

function nullableReader(schemas: Schema[]): Reader<unknown> {
  const [schema, nothing] = schemas
  if (schemas.length !== 2 || !schema || (nothing as { type?: string }).type !== 'null') {
    throw new Error(`The only choice that requests know is null: ${JSON.stringify(schemas)}`)
  }
  const read = readerOf(schema)
  return (value, path, faults) => (value === null ? null : read(value, path, faults))
}

function objectReader({ properties = {}, required = [] }: Schema): Reader<unknown> {
  const names = Object.keys(properties)
  const written = names.filter((name) => properties[name]?.readOnly !== true)
  const parts = new Map(
    written.map((name) => [
      name,
      {
        read: readerOf(properties[name] as Schema),
        required: required.includes(name),
        // Only there does null mean something else than absence.
        nullable: properties[name]?.anyOf !== undefined,
        expected: expected(properties[name] as Schema),
      },
    ]),
  )
  const known = new Set(names)
  return (value, path, faults) => {
    if (!isRecord(value)) {
      faults.add(path, mustBe(path, 'a JSON object', value))
      return {}
    }
    for (const name of Object.keys(value)) {
      if (!known.has(name)) faults.add(within(path, name), unknownProperty(path, name, names))
    }
    const result: Record<string, unknown> = {}
    for (const [name, part] of parts) {
      const given = Object.hasOwn(value, name) ? value[name] : undefined
      if (given === undefined) {
        if (part.required) faults.add(within(path, name), `${within(path, name)} is required: ${part.expected}.`)
      } else if (given !== null || part.required || part.nullable) {
        result[name] = part.read(given, within(path, name), faults)
      }
    }
    return result
  }
}

function arrayReader({ items, maxItems = Infinity }: Schema): Reader<unknown> {
  const read = readerOf(items ?? {})
  return (value, path, faults) => {
    if (!Array.isArray(value)) {
      faults.add(path, mustBe(path, 'a JSON array', value))
      return []
    }
    if (value.length > maxItems) {
      faults.add(path, `${path} must have at most ${maxItems} items, not ${value.length}.`)
      return []
    }
    return value.map((item, index) => read(item, `${path}[${index}]`, faults))
  }
}

function stringReader(schema: Schema): Reader<unknown> {
  const { minLength = 0, maxLength = Infinity } = schema
  const pattern = schema.pattern === undefined ? undefined : new RegExp(schema.pattern, 'u')
  const wanted = expected(schema)
  return (value, path, faults) => {
    if (typeof value !== 'string' || (pattern && !pattern.test(value))) {
      faults.add(path, mustBe(path, wanted, value))
    } else if (value.length < minLength || (value.length > maxLength && [...value].length > maxLength)) {
      faults.add(path, mustBe(path, wanted, value))
    } else if (value.includes('\0') || LONE_SURROGATE.test(value)) {
      faults.add(
        path,
        `${path} must be text without U+0000 and without halves of surrogate pairs; no database keeps them.`,
      )
    }
    return value
  }
}
const LONE_SURROGATE = /\p{Cs}/u

export const within = (path: string, name: string): string => {
  const shown = name.slice(0, MAX_SHOWN_CHARS)
  return path === '' ? shown : `${path}.${shown}`
}

function unknownProperty(path: string, name: string, known: readonly string[]): string {
  const meant = known.find((one) => one.toLowerCase() === name.toLowerCase())
  const place = path === '' ? 'the body' : path
  const hint =
    meant === undefined
      ? known.length === 0
        ? 'it has none'
        : `it has ${known.join(', ')}`
      : `${meant} is; letter case counts`
  return `${JSON.stringify(name.slice(0, MAX_SHOWN_CHARS))} is not a property of ${place}: ${hint}.`
}

const mustBe = (path: string, wanted: string, given: unknown): string =>
  `${path === '' ? 'The body' : path} must be ${wanted}, not ${inWords(given)}.`

/** A value as messages show it; never its inside, which may be of any depth. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (isRecord(value)) return 'an object'
  if (value === undefined) return 'nothing'
  const shown =
    typeof value === 'string' && value.length > MAX_SHOWN_CHARS ? `${value.slice(0, MAX_SHOWN_CHARS)}…` : value
  return JSON.stringify(shown)
}

/** What a schema wants, in words. */
function expected({ type, anyOf, pattern, minLength = 0, maxLength }: Schema): string {
  if (anyOf?.[0]) return `${expected(anyOf[0])}, or null`
  if (type === 'object') return 'a JSON object'
  if (type === 'array') return 'a JSON array'
  if (type === 'boolean') return 'true or false'
  const size = maxLength === undefined ? '' : ` of ${minLength} to ${maxLength} characters`
  return `a text${size}${pattern === undefined ? '' : ` that matches ${pattern}`}`
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
