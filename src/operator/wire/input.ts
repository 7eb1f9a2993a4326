/** Reads what a request says by the schemas of its contract; every fault is reported, with its place and what would be right. */
import type { Static, TObject, TSchema } from 'typebox'
import { DomainError } from '../../errors.js'
import { policies } from '../../http/body-policies.js'
import { reader, type Reader } from '../../http/body-reader.js'
import type { QueryParameters } from '../../http/query.js'

/** Throws 'unsupported-media-type', 'invalid-json', 'invalid-input'. */
export function readJsonBody<Schema extends TSchema>(
  schema: Schema,
  bytes: Buffer,
  { contentType, optional }: { contentType: string | undefined; optional: boolean },
): Static<Schema> {
  if (bytes.length === 0 && optional) return check(schema, {}, 'body')
  if (bytes.length === 0) throw new DomainError('invalid-json', 'A JSON body is required; there is none.')
  if (!/^application\/(json|merge-patch\+json)\s*(;|$)/i.test(contentType ?? 'application/json')) {
    throw new DomainError('unsupported-media-type', `The body must be application/json, not ${contentType ?? ''}.`)
  }
  return check(schema, parsed(bytes), 'body')
}

/** For what takes no body; an empty object does no harm. Throws 'invalid-input'. */
export function noBody(bytes: Buffer): void {
  const text = bytes.toString('utf8').trim()
  if (text !== '' && text !== '{}')
    throw new DomainError('invalid-input', 'This takes no body.', { place: 'body', target: '' })
}

/** A query's parameters as the schema has them: texts into numbers and booleans, several values into an array. */
export function readQuery<Schema extends TObject>(schema: Schema, query: QueryParameters): Static<Schema> {
  const names = new Map(Object.keys(schema.properties).map((name) => [name.toLowerCase(), name]))
  const faults: DomainError[] = []
  const values: Record<string, unknown> = {}
  for (const [key, texts] of query) {
    const name = names.get(key)
    if (name === undefined) {
      const known = [...names.values()]
      const may = known.length === 0 ? 'this takes none' : `the parameters are ${known.join(', ')}`
      faults.push(fault('query', key, 'unknown-parameter', `${key.slice(0, 60)} is not known here; ${may}.`))
      continue
    }
    const part = schema.properties[name] as TSchema
    const isList = 'items' in part
    if (!isList && texts.length > 1) {
      faults.push(fault('query', name, 'repeated', `${name} is given ${texts.length} times; give it once.`))
      continue
    }
    const item = (isList ? part.items : part) as TSchema
    const read = texts.map((text) => fromText(item, text))
    values[name] = isList ? read : read[0]
  }
  if (faults.length > 0) throw together(faults)
  return check(schema, values, 'query')
}

function fromText(schema: TSchema, text: string): unknown {
  const type = 'type' in schema ? schema.type : undefined
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  return text
}

/** A time of a query's parameter. Throws 'invalid-input' for one that no calendar has, or before the year 1. */
export function readInstant(text: string, name: string): Date {
  const at = new Date(text)
  if (at.getUTCFullYear() >= 1) return at
  throw fault('query', name, 'invalid-time', `${name} takes a time of the years 1 to 9999, e.g. 2026-03-01T12:00:00Z.`)
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    throw new DomainError('invalid-json', `The body is not JSON in UTF-8: ${said.slice(0, 200)}`, { cause: error })
  }
}

function check<Schema extends TSchema>(schema: Schema, value: unknown, place: 'body' | 'query'): Static<Schema> {
  const read = readers.get(schema) ?? reader(schema as TSchema, policies.operator)
  readers.set(schema, read)
  const { value: found, faults } = read(value)
  if (faults.length === 0) return found as Static<Schema>
  throw together(faults.map(({ pointer, code, detail }) => fault(place, pointer, code, detail)))
}

const readers = new WeakMap<TSchema, Reader<unknown>>()

/** A fault of a request at a JSON pointer of its body, or a parameter of its query or path. */
export const fault = (place: string, pointer: string, code: string, message: string): DomainError =>
  new DomainError('invalid-input', message, { place, target: pointer, faultCode: code })

/** One refusal for several faults. */
export function together(faults: readonly DomainError[]): DomainError {
  const [first] = faults
  const message = faults.length === 1 && first ? first.message : `${faults.length} things are wrong; errors lists each.`
  return new DomainError('invalid-input', message, { faults })
}
