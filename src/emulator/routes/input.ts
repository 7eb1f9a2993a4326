/** Reads the input of `/_emulator`; errors name the place and what would be right. */
import type { Static, TSchema } from 'typebox'
import { DomainError, invalidInput } from '../../errors.js'
import { policies } from '../../http/body-policies.js'
import { dotted, reader, type Reader } from '../../http/body-reader.js'
import { pickQuery, type QueryParameters } from '../../http/query.js'
import { rawBody, type FastifyRequest } from '../../http/server.js'

const readers = new WeakMap<TSchema, Reader<unknown>>()

/** The JSON body if it fits the schema. A missing body counts as an empty object. */
export function readBody<Schema extends TSchema>(schema: Schema, request: FastifyRequest): Static<Schema> {
  const text = rawBody(request).toString('utf8')
  const read = readers.get(schema) ?? reader(schema as TSchema, policies.emulator)
  readers.set(schema, read)
  const { value, faults } = read(text.trim() === '' ? {} : parseJson(text))
  if (faults.length === 0) return value as Static<Schema>
  throw new DomainError('invalid-input', 'The body is not as it should be.', {
    faults: faults.map(({ path, detail }) => invalidInput(detail, dotted(path) || 'body')),
  })
}

/** For routes that take no body; an empty object is accepted. */
export function noBody(request: FastifyRequest): void {
  const text = rawBody(request).toString('utf8').trim()
  if (text !== '' && text !== '{}') throw invalidInput('This takes no body.', 'body')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidInput('The body is not JSON. It takes an object, e.g. {"times": 3}.', 'body')
  }
}

const PAGE = { least: 1, usual: 100, most: 1_000 }

/** `?after=` and `?limit=` of a list. */
export function readPage(query: unknown): { after?: string; limit: number } {
  const parameters = query as QueryParameters
  const other = [...parameters.keys()].find((name) => name !== 'after' && name !== 'limit')
  if (other !== undefined) throw invalidInput(`${other} is not known here; a list takes after and limit.`, other)
  const { after, limit = String(PAGE.usual) } = pickQuery(parameters, ['after', 'limit'])
  const size = /^\d{1,4}$/.test(limit) ? Number(limit) : 0
  if (size < PAGE.least || size > PAGE.most) {
    throw invalidInput(`limit must be a whole number from ${PAGE.least} to ${PAGE.most}.`, 'limit')
  }
  // The plus sign of a number is a space unless it is encoded.
  return { ...(after !== undefined && { after: after.replace(/^ /, '+') }), limit: size }
}
