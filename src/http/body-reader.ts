/**
 * Reads input by a schema, in one walk: returns the value that the schema describes, and every fault with its place, a
 * code, and what would be right. A policy sets the strictness and the messages; each API has one in `body-policies.ts`.
 *
 * Why not the compiled checks of TypeBox: they check a value as it is, while parts of it are dropped or respelled here;
 * they stop at eight faults, and they don't say what would be right.
 */
import type { Static, TSchema } from 'typebox'
import Format from 'typebox/format'

export interface Policy {
  /** Of objects. `as the schema says`: refused where it closes the object, kept otherwise. */
  unknownProperties: 'ignore' | 'refuse' | 'as the schema says'
  /** `any case` accepts choices in another letter case, and respells them as the schema has them. */
  enums: 'exact' | 'any case'
  /** Null in place of an optional value that can't be null counts as absent. */
  nullMeansAbsent: boolean
  /** Values are texts, as in a query string: digits are read as a number where the schema wants one. */
  numbersInText: boolean
  /** Refuses texts that no database keeps: with U+0000 or halves of surrogate pairs. */
  storableText: boolean
  /** Reports everything that is missing from an object before what is wrong in it. */
  missingFirst: boolean
  /** The most faults reported for one value. */
  maxFaults: number
  /** The message for a fault. */
  words: (finding: Finding) => string
}

/** Names of properties and indices of items, from the outside in. */
export type Path = readonly (string | number)[]

export type FaultCode = 'required' | 'unknown-property' | 'wrong-type' | 'out-of-range' | 'not-allowed' | 'bad-format'

export interface Fault {
  code: FaultCode
  path: Path
  /** The path as a JSON pointer (RFC 6901). */
  pointer: string
  /** What was wrong, the value, and what would be right. */
  detail: string
}

/** A fault for which a policy makes a message. */
export interface Finding {
  code: FaultCode
  path: Path
  /** The schema of the place. */
  wanted: Schema
  /** The value there; undefined when there is none. */
  given: unknown
  /** For an unknown property: the known ones, or the pattern of their names. */
  known?: readonly string[] | RegExp
  /** The text fits the schema, but no database can store it. */
  unstorable?: boolean
}

/** The parts of JSON Schema that the schemas of requests use. */
export interface Schema {
  readOnly?: boolean
  type?: 'object' | 'array' | 'string' | 'boolean' | 'integer' | 'number' | 'null'
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  additionalProperties?: unknown
  required?: string[]
  items?: Schema
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  enum?: readonly unknown[]
  const?: unknown
  anyOf?: Schema[]
}

/** With faults the value must not be used. */
export interface Reading<Value> {
  value: Value
  faults: readonly Fault[]
}

/** @param at the path of the value in the whole that the faults are about */
export type Reader<Value> = (value: unknown, at?: Path) => Reading<Value>

/** Makes the reader of a schema. Throws at once for a schema that uses unsupported parts. */
export function reader<Wanted extends TSchema>(schema: Wanted, policy: Policy): Reader<Static<Wanted>> {
  const walk = walkerOf(schema, policy)
  return (value, at = []) => {
    const faults: Fault[] = []
    const report: Report = (finding) => {
      if (faults.length >= policy.maxFaults) return
      const { code, path } = finding
      faults.push({ code, path, pointer: pointerOf(path), detail: policy.words(finding) })
    }
    return { value: walk(value, at, report) as Static<Wanted>, faults }
  }
}

type Report = (finding: Finding) => void
type Walk = (value: unknown, path: Path, report: Report) => unknown

/** @param wanted the schema that faults of the value name: the whole choice, when `schema` is one of several */
function walkerOf(schema: Schema, policy: Policy, wanted = schema): Walk {
  if (schema.anyOf) return choiceWalker(schema.anyOf, policy, schema)
  if (schema.enum) return enumWalker(schema.enum, policy, wanted)
  if ('const' in schema) return enumWalker([schema.const], policy, wanted)
  switch (schema.type) {
    case 'object':
      return schema.patternProperties ? recordWalker(schema, policy, wanted) : objectWalker(schema, policy, wanted)
    case 'array':
      return arrayWalker(schema, policy, wanted)
    case 'string':
      return stringWalker(schema, policy, wanted)
    case 'integer':
    case 'number':
      return numberWalker(schema, policy, wanted)
    case 'boolean':
    case 'null':
      return (value, path, report) => {
        if (!isOfType(value, schema)) report({ code: 'wrong-type', path, wanted, given: value })
        return value
      }
    default:
      if (Object.keys(schema).length === 0) return (value) => value
      throw new Error(`A schema of requests can't be read: ${JSON.stringify(schema)}`)
  }
}

/** The first of the schemas that is of the value's type decides. */
function choiceWalker(schemas: readonly Schema[], policy: Policy, wanted: Schema): Walk {
  const choices = schemas.map((schema) => ({ schema, walk: walkerOf(schema, policy, wanted) }))
  return (value, path, report) => {
    const choice = choices.find(({ schema }) => isOfType(value, schema))
    if (choice) return choice.walk(value, path, report)
    report({ code: 'wrong-type', path, wanted, given: value })
    return value
  }
}

function enumWalker(choices: readonly unknown[], { enums }: Policy, wanted: Schema): Walk {
  return (value, path, report) => {
    const found = choices.find((choice) => choice === value || (enums === 'any case' && inAnyCase(choice, value)))
    if (found === undefined) report({ code: 'not-allowed', path, wanted, given: value })
    return found ?? value
  }
}

const inAnyCase = (one: unknown, other: unknown): boolean =>
  typeof one === 'string' && typeof other === 'string' && one.toLowerCase() === other.toLowerCase()

function objectWalker(schema: Schema, policy: Policy, wanted: Schema): Walk {
  const { properties = {}, required = [] } = schema
  const names = Object.keys(properties)
  const known = new Set(names)
  const parts = Object.entries(properties)
    .filter(([, part]) => part.readOnly !== true)
    .map(([name, part]) => ({
      name,
      schema: part,
      walk: walkerOf(part, policy),
      required: required.includes(name),
      takesNull: part.anyOf?.some(({ type }) => type === 'null') ?? false,
    }))
  const unknown = unknownProperties(schema, policy)
  return (value, path, report) => {
    if (!isRecord(value)) {
      report({ code: 'wrong-type', path, wanted, given: value })
      return {}
    }
    const result: Record<string, unknown> = {}
    if (unknown !== 'ignore') {
      for (const name of Object.keys(value)) {
        if (known.has(name)) continue
        if (unknown === 'keep') setOwn(result, name, value[name])
        else report({ code: 'unknown-property', path: [...path, name], wanted, given: value[name], known: names })
      }
    }
    const missing = ({ name, schema }: { name: string; schema: Schema }): void =>
      report({ code: 'required', path: [...path, name], wanted: schema, given: undefined })
    const isMissing = (name: string): boolean => !Object.hasOwn(value, name) || value[name] === undefined
    if (policy.missingFirst) parts.filter((part) => part.required && isMissing(part.name)).forEach(missing)
    for (const part of parts) {
      const { name } = part
      if (isMissing(name)) {
        if (part.required && !policy.missingFirst) missing(part)
      } else if (value[name] !== null || part.required || part.takesNull || !policy.nullMeansAbsent) {
        result[name] = part.walk(value[name], [...path, name], report)
      }
    }
    return result
  }
}

function unknownProperties(schema: Schema, policy: Policy): 'ignore' | 'refuse' | 'keep' {
  if (policy.unknownProperties !== 'as the schema says') return policy.unknownProperties
  return schema.additionalProperties === false ? 'refuse' : 'keep'
}

/** An object with names that the client chooses. */
function recordWalker(schema: Schema, policy: Policy, wanted: Schema): Walk {
  const entries = Object.entries(schema.patternProperties ?? {})
  const [[pattern, part]] = entries as [[string, Schema]]
  if (entries.length !== 1 || schema.properties) {
    throw new Error(`Names are either fixed or of one pattern: ${JSON.stringify(schema)}`)
  }
  const known = new RegExp(pattern, 'u')
  const walk = walkerOf(part, policy)
  const unknown = unknownProperties(schema, policy)
  return (value, path, report) => {
    if (!isRecord(value)) {
      report({ code: 'wrong-type', path, wanted, given: value })
      return {}
    }
    const result: Record<string, unknown> = {}
    for (const [name, item] of Object.entries(value)) {
      if (known.test(name)) setOwn(result, name, walk(item, [...path, name], report))
      else if (unknown === 'keep') setOwn(result, name, item)
      else if (unknown === 'refuse') {
        report({ code: 'unknown-property', path: [...path, name], wanted, given: item, known })
      }
    }
    return result
  }
}

/** A plain assignment of `__proto__` would set something else. */
const setOwn = (target: object, name: string, value: unknown): void =>
  void Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })

function arrayWalker({ items = {}, minItems = 0, maxItems = Infinity }: Schema, policy: Policy, wanted: Schema): Walk {
  const walk = walkerOf(items, policy)
  return (value, path, report) => {
    if (!Array.isArray(value)) {
      report({ code: 'wrong-type', path, wanted, given: value })
      return []
    }
    if (value.length < minItems || value.length > maxItems) {
      report({ code: 'out-of-range', path, wanted, given: value })
      return []
    }
    return value.map((item, index) => walk(item, [...path, index], report))
  }
}

function stringWalker(schema: Schema, { storableText }: Policy, wanted: Schema): Walk {
  const { minLength = 0, maxLength = Infinity, format } = schema
  const pattern = schema.pattern === undefined ? undefined : new RegExp(schema.pattern, 'u')
  if (format !== undefined && !Format.Has(format)) throw new Error(`No format is called ${format}.`)
  const faultOf = (value: unknown): FaultCode | undefined => {
    if (typeof value !== 'string') return 'wrong-type'
    // Characters are code points; there are never more of them than units.
    if (value.length < minLength || (value.length > maxLength && [...value].length > maxLength)) return 'out-of-range'
    if (pattern && !pattern.test(value)) return 'bad-format'
    return format !== undefined && !Format.Test(format, value) ? 'bad-format' : undefined
  }
  return (value, path, report) => {
    const code = faultOf(value)
    if (code) report({ code, path, wanted, given: value })
    else if (storableText && isUnstorable(value as string)) {
      report({ code: 'bad-format', path, wanted, given: value, unstorable: true })
    }
    return value
  }
}

const isUnstorable = (text: string): boolean => text.includes('\0') || LONE_SURROGATE.test(text)
const LONE_SURROGATE = /\p{Cs}/u

function numberWalker(schema: Schema, { numbersInText }: Policy, wanted: Schema): Walk {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity } = schema
  const digits = numbersInText && schema.type === 'integer' ? /^-?\d{1,15}$/ : undefined
  return (given, path, report) => {
    const value = digits && typeof given === 'string' && digits.test(given) ? Number(given) : given
    if (!isOfType(value, schema)) report({ code: 'wrong-type', path, wanted, given })
    else if (!((value as number) >= minimum && (value as number) <= maximum && (value as number) > exclusiveMinimum)) {
      report({ code: 'out-of-range', path, wanted, given: value })
    }
    return value
  }
}

function isOfType(value: unknown, schema: Schema): boolean {
  if (schema.enum) return schema.enum.some((choice) => typeof choice === typeof value)
  switch (schema.type) {
    case 'object':
      return isRecord(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return Number.isFinite(value)
    case 'null':
      return value === null
    default:
      return schema.type === undefined || typeof value === schema.type
  }
}

const pointerOf = (path: Path): string =>
  path.map((name) => `/${String(name).slice(0, MAX_SHOWN_CHARS).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Names that the client has chosen may be of any length. */
export const MAX_SHOWN_CHARS = 100

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Joins names with dots: `phoneNumbers.0`. */
export const dotted = (path: Path): string => path.map(shownName).join('.')

/** Writes a path as JavaScript does: `numbers[3].telephoneNumber`. */
export const place = (path: Path): string =>
  path.reduce<string>((before, name) => {
    if (typeof name === 'number') return `${before}[${name}]`
    return before === '' ? shownName(name) : `${before}.${shownName(name)}`
  }, '')

export const shownName = (name: string | number): string => String(name).slice(0, MAX_SHOWN_CHARS)
