/** How strictly each API reads its input, and its messages for faults. */
import {
  dotted,
  isRecord,
  MAX_SHOWN_CHARS,
  place,
  shownName,
  type Finding,
  type Path,
  type Policy,
  type Schema,
} from './body-reader.js'

/**
 * The published service ignores unknown properties, accepts choices in any letter case, and reports the first fault.
 */
const phoneNumbers: Policy = {
  unknownProperties: 'ignore',
  enums: 'any case',
  nullMeansAbsent: true,
  numbersInText: false,
  storableText: false,
  missingFirst: true,
  maxFaults: 1,
  words: ({ code, path, wanted, given }) =>
    code === 'required'
      ? `${dotted(path)} is required: ${wantedByPhoneNumbers(wanted)}.`
      : `${dotted(path) || 'The body'} must be ${wantedByPhoneNumbers(wanted)}, not ${givenToPhoneNumbers(given)}.`,
}

function wantedByPhoneNumbers(wanted: Schema): string {
  const schema = withoutNull(wanted)
  if (schema !== wanted) return `${wantedByPhoneNumbers(schema)} or null`
  const { type, minimum, maxLength } = schema
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (type === 'integer') return minimum === undefined ? 'a whole number' : `a whole number, ${minimum} or more`
  if (type === 'boolean') return 'true or false'
  if (type === 'object') return 'a JSON object'
  if (type === 'array') return 'an array'
  if (type === 'string') return maxLength === undefined ? 'a text' : `a plain text of at most ${maxLength} characters`
  return 'a value of the right type'
}

const givenToPhoneNumbers = (value: unknown): string =>
  Array.isArray(value)
    ? 'an array'
    : isRecord(value)
      ? 'an object'
      : ((JSON.stringify(value) as string | undefined) ?? 'nothing').slice(0, MAX_SHOWN_CHARS)

/** The Provisioning API requires exact types, names and letter case, and reports every fault. */
const provisioning: Policy = {
  unknownProperties: 'refuse',
  enums: 'exact',
  nullMeansAbsent: true,
  numbersInText: false,
  storableText: true,
  missingFirst: false,
  // The first and a hundred others.
  maxFaults: 101,
  words: (finding) => inWords(finding, finding.code === 'required' ? finding.wanted : withoutNull(finding.wanted)),
}

/** Our own API is as strict, and null is an ordinary value, so that it can only mean "clear it". */
const operator: Policy = {
  ...provisioning,
  nullMeansAbsent: false,
  maxFaults: 20,
  words: (finding) => inWords(finding, finding.wanted),
}

export const policies = {
  phoneNumbers,
  /** The query strings of that API. */
  phoneNumbersQuery: { ...phoneNumbers, numbersInText: true },
  provisioning,
  operator,
  /** The test controls. The documents of simulated backends are open: unknown properties are kept. */
  emulator: { ...operator, unknownProperties: 'as the schema says' },
} satisfies Record<string, Policy>

function inWords({ code, path, given, known, unstorable }: Finding, wanted: Schema): string {
  if (code === 'unknown-property') return unknownProperty(path, known ?? [])
  const where = place(path) || 'The body'
  if (code === 'required') return `${where} is required: ${expected(wanted)}.`
  if (unstorable) {
    return `${where} must be text without U+0000 and without halves of surrogate pairs; no database keeps them.`
  }
  const schema = withoutNull(wanted)
  if (Array.isArray(given) && schema.type === 'array') {
    return `${where} must have ${itemsOf(schema)}, not ${given.length}.`
  }
  return `${where} must be ${expected(wanted)}, not ${inShort(given)}.`
}

function unknownProperty(path: Path, known: readonly string[] | RegExp): string {
  const name = String(path.at(-1))
  const hint = known instanceof RegExp ? `names there match ${known.source}` : hintOf(name, known)
  return `${JSON.stringify(shownName(name))} is not a property of ${place(path.slice(0, -1)) || 'the body'}: ${hint}.`
}

function hintOf(name: string, known: readonly string[]): string {
  const meant = known.find((one) => one.toLowerCase() === name.toLowerCase())
  if (meant !== undefined) return `${meant} is; letter case counts`
  return known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
}

/** A value as messages show it, without its content, which may be nested to any depth. */
function inShort(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (isRecord(value)) return 'an object'
  if (value === undefined) return 'nothing'
  const shown =
    typeof value === 'string' && value.length > MAX_SHOWN_CHARS ? `${value.slice(0, MAX_SHOWN_CHARS)}…` : value
  return JSON.stringify(shown)
}

/** Describes what a schema accepts. */
function expected(wanted: Schema): string {
  const schema = withoutNull(wanted)
  if (schema !== wanted) return `${expected(schema)}, or null`
  if (schema.anyOf) return schema.anyOf.map(expected).join(' or ')
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if ('const' in schema) return String(schema.const)
  switch (schema.type) {
    case 'object':
      return 'a JSON object'
    case 'array':
      return schema.minItems === undefined ? 'a JSON array' : `a JSON array of ${itemsOf(schema)}`
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number${rangeOf(schema)}`
    case 'number':
      return `a number${rangeOf(schema)}`
    case 'string':
      return textOf(schema)
    default:
      return 'a value'
  }
}

function textOf({ pattern, format, minLength = 0, maxLength }: Schema): string {
  if (format === 'date-time') return 'a date-time such as 2024-02-29T12:00:00Z'
  if (format !== undefined) return `a text in the format ${format}`
  const size =
    maxLength !== undefined
      ? ` of ${minLength} to ${maxLength} characters`
      : minLength > 0
        ? ` of at least ${minLength} characters`
        : ''
  return `a text${size}${pattern === undefined ? '' : ` that matches ${pattern}`}`
}

function rangeOf({ minimum, maximum, exclusiveMinimum }: Schema): string {
  if (exclusiveMinimum !== undefined) {
    return ` above ${exclusiveMinimum}${maximum === undefined ? '' : ` and up to ${maximum}`}`
  }
  if (minimum !== undefined) return maximum === undefined ? `, ${minimum} or more` : ` from ${minimum} to ${maximum}`
  return maximum === undefined ? '' : `, ${maximum} or less`
}

const itemsOf = ({ minItems = 0, maxItems }: Schema): string =>
  maxItems === undefined
    ? `at least ${minItems} items`
    : minItems === 0
      ? `at most ${maxItems} items`
      : `${minItems} to ${maxItems} items`

/** A schema without its null alternative. */
function withoutNull(schema: Schema): Schema {
  const others = schema.anyOf?.filter(({ type }) => type !== 'null')
  if (!others || others.length === schema.anyOf?.length) return schema
  return others.length === 1 ? (others[0] as Schema) : { anyOf: others }
}
