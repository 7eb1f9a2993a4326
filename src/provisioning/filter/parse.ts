/**
 * The filter language of lists, a subset of OData:
 *
 *     expr    = or ; or = and *( "or" and ) ; and = unary *( "and" unary )
 *     unary   = [ "not" ] primary
 *     primary = "(" expr ")" / compare / func / boolPath
 *     compare = path ( "eq" / "ne" / "gt" / "ge" / "lt" / "le" ) literal
 *     func    = ( "startswith" / "endswith" / "contains" ) "(" path "," string ")"
 *     path    = name *( ( "/" / "." ) name )
 *
 * All of it is case-sensitive. A filter is bounded in length, nesting and size, so that reading, checking and running
 * one goes no deeper than its nesting.
 */
import { DomainError } from '../../errors.js'
import { shown, tokensOf, wrongAt, type Literal, type Token } from './tokens.js'

export type { Literal } from './tokens.js'

export const comparisons = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const
export type Comparison = (typeof comparisons)[number]

export const textTests = ['startswith', 'endswith', 'contains'] as const
export type TextTest = (typeof textTests)[number]

/** A property that a filter names. */
export interface FilterPath {
  /** Its names, joined by slashes however they were written. */
  path: string
  /** Its position in the filter's text. */
  position: number
}

export type Filter =
  | { kind: 'or' | 'and'; of: readonly Filter[] }
  | { kind: 'not'; of: Filter }
  | ({ kind: 'compare'; comparison: Comparison; literal: Literal } & FilterPath)
  | ({ kind: 'text-test'; test: TextTest; text: string } & FilterPath)
  | ({ kind: 'path' } & FilterPath)

/** A filter of this size, percent-encoded in a link, still fits into the head of a request. */
export const MAX_FILTER_CHARS = 4_096
/** How many brackets may be open at once. */
export const MAX_FILTER_DEPTH = 50
/** How many comparisons, functions, bare paths, `not`s and chains of `and` or `or` one filter may have. */
export const MAX_FILTER_NODES = 500

/** Reads a filter. Throws 'invalid-filter' with the place of the fault and what was expected there. */
export function parseFilter(text: string): Filter {
  if (text.length > MAX_FILTER_CHARS) throw tooLarge(`${MAX_FILTER_CHARS} characters`)
  const reading: Reading = { tokens: tokensOf(text), index: 0, nodes: 0, depth: 0 }
  const filter = readOr(reading)
  const rest = peek(reading)
  if (rest.kind !== 'end') throw unexpected(rest, '"and", "or" or the end')
  return filter
}

interface Reading {
  tokens: readonly Token[]
  index: number
  nodes: number
  depth: number
}

const tooLarge = (limit: string): DomainError =>
  new DomainError('invalid-filter', `The filter is too large; it may have at most ${limit}.`, { target: 'filter' })

const unexpected = (token: Token, expected: string): DomainError =>
  wrongAt(token.position, expected, token.kind === 'end' ? 'the end' : shown(token.text))

/** The end token is never consumed, so there is always a token. */
const peek = (reading: Reading): Token => reading.tokens[reading.index] as Token

function take(reading: Reading): Token {
  const token = peek(reading)
  if (token.kind !== 'end') reading.index++
  return token
}

const isWord = (token: Token, word: string): boolean => token.kind === 'name' && token.text === word
const isMark = (token: Token, mark: string): boolean => token.kind === 'mark' && token.text === mark

function takeMark(reading: Reading, mark: string): void {
  const token = take(reading)
  if (!isMark(token, mark)) throw unexpected(token, `"${mark}"`)
}

function counted(reading: Reading, filter: Filter): Filter {
  if (++reading.nodes > MAX_FILTER_NODES) throw tooLarge(`${MAX_FILTER_NODES} parts`)
  return filter
}

const readOr = (reading: Reading): Filter => readChain(reading, 'or', readAnd)
const readAnd = (reading: Reading): Filter => readChain(reading, 'and', readUnary)

/** A chain is one node however long it is: a thousand `or`s in a row are no deeper than one. */
function readChain(reading: Reading, word: 'or' | 'and', readPart: (reading: Reading) => Filter): Filter {
  const first = readPart(reading)
  const parts = [first]
  while (isWord(peek(reading), word)) {
    take(reading)
    parts.push(readPart(reading))
  }
  return parts.length === 1 ? first : counted(reading, { kind: word, of: parts })
}

function readUnary(reading: Reading): Filter {
  if (!isWord(peek(reading), 'not')) return readPrimary(reading)
  take(reading)
  return counted(reading, { kind: 'not', of: readPrimary(reading) })
}

function readPrimary(reading: Reading): Filter {
  const token = take(reading)
  if (isMark(token, '(')) return readBracket(reading)
  if (token.kind === 'name' && isMark(peek(reading), '(')) return counted(reading, readTextTest(reading, token))
  const named = pathOf(token, EXPECTED_PRIMARY)
  const next = peek(reading)
  if (next.kind === 'end' || next.kind === 'mark' || isWord(next, 'and') || isWord(next, 'or')) {
    return counted(reading, { kind: 'path', ...named })
  }
  take(reading)
  const comparison = comparisons.find((name) => isWord(next, name))
  if (!comparison) throw unexpected(next, `${comparisons.map((name) => `"${name}"`).join(', ')}, "and" or "or"`)
  return counted(reading, { kind: 'compare', comparison, literal: readLiteral(reading), ...named })
}
const EXPECTED_PRIMARY = 'a property, a function or "("'

function readBracket(reading: Reading): Filter {
  if (++reading.depth > MAX_FILTER_DEPTH) throw tooLarge(`${MAX_FILTER_DEPTH} brackets inside one another`)
  const filter = readOr(reading)
  const end = take(reading)
  if (!isMark(end, ')')) throw unexpected(end, '"and", "or" or ")"')
  reading.depth--
  return filter
}

function readTextTest(reading: Reading, name: Token): Filter {
  const test = textTests.find((known) => known === name.text)
  if (!test) throw unexpected(name, RESERVED.has(name.text) ? EXPECTED_PRIMARY : `one of ${textTests.join(', ')}`)
  takeMark(reading, '(')
  const named = pathOf(take(reading), 'a property')
  takeMark(reading, ',')
  const token = take(reading)
  if (token.kind !== 'literal' || token.literal.type !== 'string') throw unexpected(token, 'a text in single quotes')
  takeMark(reading, ')')
  return { kind: 'text-test', test, text: token.literal.value, ...named }
}

function readLiteral(reading: Reading): Literal {
  const token = take(reading)
  if (token.kind === 'literal') return token.literal
  throw unexpected(token, 'a text in single quotes, a number, a date-time, true, false or null')
}

/** @param expected named in the error if `token` is not a path */
function pathOf(token: Token, expected: string): FilterPath {
  if (token.kind !== 'name' || RESERVED.has(token.text)) throw unexpected(token, expected)
  return { path: token.text.replaceAll('.', '/'), position: token.position }
}
const RESERVED = new Set<string>(['and', 'or', 'not', ...comparisons])
