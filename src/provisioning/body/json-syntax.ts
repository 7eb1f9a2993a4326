/**
 * The syntax of JSON, for what `JSON.parse` doesn't do: skipping trailing commas, and locating
 * faults. V8 gives no position for an unexpected token, the most frequent fault (tried: 20, 22, 24 and 26), and its
 * messages vary with its version.
 */

export interface SyntaxFault {
  /** The index of the first wrong character; the text's length if it ends too early. */
  at: number
  /** What would be right there. */
  expected: string
}

export interface Scanned {
  /** The first fault; undefined when the text is JSON. */
  fault: SyntaxFault | undefined
  /** The text with a space in place of every comma that was skipped. */
  text: string
}

/**
 * Scans a text up to its end or its first fault.
 * @param trailingCommas skips a comma that follows a value and precedes the end of an array or object; `[,]` and
 *   `[1,,]` are still invalid
 */
export function scan(text: string, trailingCommas: boolean): Scanned {
  const open: ('[' | '{')[] = []
  const passedOver: number[] = []
  let state = 'value' as State
  let behindValue = false
  let at = 0
  const result = (fault?: SyntaxFault): Scanned => ({ fault, text: blanked(text, passedOver) })
  for (;;) {
    at = endOf(BLANK, text, at)
    const first = text.charAt(at)
    if (trailingCommas && behindValue && endOf(TRAILING_COMMA, text, at) > at) {
      passedOver.push(at++)
      behindValue = false
      continue
    }
    if (state === 'end') return result(first === '' ? undefined : { at, expected: 'the end' })
    const next = step(state, first, open)
    if (next === undefined) return result({ at, expected: inWords(state, open.at(-1)) })
    const token = next === 'scalar' ? tokenAt(text, at) : { end: at + 1, fault: undefined }
    if (token.fault) return result(token.fault)
    at = token.end
    behindValue = next === 'scalar' || first === ']' || first === '}'
    if (next !== 'scalar') state = next
    else state = state === 'name' || state === 'name or }' ? ':' : afterValue(open)
  }
}

/** @param at where characters become spaces, in ascending order */
function blanked(text: string, at: readonly number[]): string {
  let result = ''
  let from = 0
  for (const index of at) {
    result += `${text.slice(from, index)} `
    from = index + 1
  }
  return result + text.slice(from)
}

type State = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | 'next' | 'end'

/** The state after a first character, or that it begins a string, number or word; undefined if it is wrong there. */
function step(state: State, first: string, open: ('[' | '{')[]): State | 'scalar' | undefined {
  if (state === ':') return first === ':' ? 'value' : undefined
  const closes = (first === ']' && open.at(-1) === '[') || (first === '}' && open.at(-1) === '{')
  if (closes && (state === 'next' || state === 'value or ]' || state === 'name or }')) {
    open.pop()
    return afterValue(open)
  }
  if (state === 'next') return first !== ',' ? undefined : open.at(-1) === '[' ? 'value' : 'name'
  if (state === 'name' || state === 'name or }') return first === '"' ? 'scalar' : undefined
  if (first === '[' || first === '{') {
    open.push(first)
    return first === '[' ? 'value or ]' : 'name or }'
  }
  return /["\-\dtfn]/.test(first) ? 'scalar' : undefined
}

const afterValue = (open: readonly string[]): State => (open.length === 0 ? 'end' : 'next')

function inWords(state: State, open: string | undefined): string {
  const close = open === '[' ? ']' : '}'
  const words: Record<State, string> = {
    value: 'a value',
    'value or ]': 'a value or ]',
    name: 'a property name in double quotes',
    'name or }': 'a property name in double quotes or }',
    ':': 'a colon',
    next: `a comma or ${close}`,
    end: 'the end',
  }
  return words[state]
}

/** The string, number or word that begins at `at`. */
function tokenAt(text: string, at: number): { end: number; fault?: SyntaxFault } {
  if (text.charAt(at) === '"') return stringAt(text, at)
  const end = endOf(NUMBER_OR_WORD, text, at)
  return end > at ? { end } : { end, fault: { at, expected: 'a number, true, false or null' } }
}

function stringAt(text: string, start: number): { end: number; fault?: SyntaxFault } {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return { end: at + 1 }
    if (code === BACKSLASH) {
      const end = endOf(ESCAPE, text, at)
      if (end === at) return { end, fault: { at, expected: 'an escape that JSON has' } }
      at = end - 1
    } else if (Number.isNaN(code) || code < FIRST_PRINTABLE) {
      return { end: at, fault: { at, expected: 'the closing quote of a text' } }
    }
  }
}
const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20

const BLANK = /[ \t\n\r]*/y
const TRAILING_COMMA = /,\s*[\]}]/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y
const NUMBER_OR_WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** The end of the match of `pattern` at `from`; `from` itself if it doesn't match there. */
function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}
