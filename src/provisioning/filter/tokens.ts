/** A filter's text cut into tokens. */
import { DomainError } from '../../errors.js'
import { parseRfc3339 } from '../../http/dates.js'

export type Literal =
  | { type: 'string'; value: string }
  | { type: 'number'; value: number }
  | { type: 'boolean'; value: boolean }
  | { type: 'dateTime'; value: Date }
  | { type: 'null' }

interface TokenPlace {
  /** As it is written. */
  text: string
  /** Index of its first character. */
  position: number
}

export type Token = TokenPlace &
  (
    | { kind: 'literal'; literal: Literal }
    /** A path or a keyword. */
    | { kind: 'name' }
    /** A bracket or a comma. */
    | { kind: 'mark' }
    | { kind: 'end' }
  )

/** The error for a filter: the position of the fault (counted from one), what is expected there and what was found. */
export const wrongAt = (position: number, expected: string, found: string): DomainError =>
  new DomainError(
    'invalid-filter',
    `The filter is wrong at character ${position + 1}: expected ${expected}, found ${found}.`,
    { target: 'filter' },
  )

/** A piece of a filter as a message shows it. */
export const shown = (text: string): string =>
  `"${text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text}"`
const MAX_SHOWN_CHARS = 60

/** The tokens of `text`, the last one being its end. Throws 'invalid-filter'. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (let position = afterSpace(text, 0); position < text.length;) {
    const token = tokenAt(text, position)
    tokens.push(token)
    position = afterSpace(text, position + token.text.length)
  }
  tokens.push({ kind: 'end', text: '', position: text.length })
  return tokens
}

const afterSpace = (text: string, position: number): number => position + matchAt(SPACE, text, position).length
const SPACE = /[ \t\r\n]*/y

const matchAt = (pattern: RegExp, text: string, position: number): string => {
  pattern.lastIndex = position
  return pattern.exec(text)?.[0] ?? ''
}

function tokenAt(text: string, position: number): Token {
  const first = text.charAt(position)
  if (first === "'") return quoted(text, position)
  if ('(),'.includes(first)) return { kind: 'mark', text: first, position }
  const name = matchAt(PATH, text, position)
  if (name !== '') return named(name, position)
  const figures = matchAt(FIGURES, text, position)
  if (figures !== '') return { kind: 'literal', text: figures, position, literal: figured(figures, position) }
  throw wrongAt(position, EXPECTED_ANYWHERE, shown(String.fromCodePoint(text.codePointAt(position) as number)))
}
const PATH = /[A-Za-z_]\w*(?:[/.][A-Za-z_]\w*)*/y
const FIGURES = /[-\d][\w.:+-]*/y
const EXPECTED_ANYWHERE = 'a property, an operator, a literal or a bracket (texts stand in single quotes)'

function named(text: string, position: number): Token {
  const literal = WORDS.get(text)
  return literal ? { kind: 'literal', text, position, literal } : { kind: 'name', text, position }
}
const WORDS = new Map<string, Literal>([
  ['true', { type: 'boolean', value: true }],
  ['false', { type: 'boolean', value: false }],
  ['null', { type: 'null' }],
])

function quoted(text: string, position: number): Token {
  const whole = matchAt(QUOTED, text, position)
  if (whole === '') throw wrongAt(text.length, `the quote that ends the text of character ${position + 1}`, 'the end')
  const value = whole.slice(1, -1).replaceAll("''", "'")
  // No stored text has these, and a database refuses them.
  if (UNSTORABLE.test(value)) throw wrongAt(position, 'a text of Unicode characters', 'others')
  return { kind: 'literal', text: whole, position, literal: { type: 'string', value } }
}
const UNSTORABLE = /\0|\p{Surrogate}/u
const QUOTED = /'(?:[^']|'')*'(?!')/y

function figured(text: string, position: number): Literal {
  if (NUMBER.test(text)) {
    const value = Number(text)
    if (!Number.isFinite(value)) throw wrongAt(position, 'a number that is not beyond all size', shown(text))
    return { type: 'number', value }
  }
  const value = parseRfc3339(text)
  if (value) return { type: 'dateTime', value }
  if (!DATE_LIKE.test(text)) throw wrongAt(position, 'a number, or a text in single quotes', shown(text))
  throw wrongAt(
    position,
    'a date-time such as 2024-02-29T12:00:00Z (the + of an offset is %2B in a query string)',
    shown(text),
  )
}
const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/
const DATE_LIKE = /^\d{4}-\d\d-\d\d([Tt]|$)/
