/** Parses the bytes of a body as JSON, strictly: it guesses nothing, and errors say where the fault is. */
import { DomainError } from '../../errors.js'
import { scan } from './json-syntax.js'

export interface JsonRules {
  /** Also application/merge-patch+json. */
  mergePatch?: boolean | undefined
  /** An empty body is allowed and reads as undefined. */
  mayBeEmpty?: boolean | undefined
  /** Skips a comma after the last item of an array or object: documented samples have them. */
  trailingCommas: boolean
}

/**
 * Reads a body. Throws 'unsupported-media-type' or 'invalid-json'.
 * @param contentType the header, undefined when there is none: then it is JSON
 */
export function readJson(body: Buffer, contentType: string | undefined, rules: JsonRules): unknown {
  if (body.length === 0 && rules.mayBeEmpty) return undefined
  if (contentType !== undefined) checkMediaType(contentType, rules)
  if (body.length === 0) throw invalidJson('The body is empty; a JSON object is required.')
  if (isDeeperThan(MAX_DEPTH, body)) throw invalidJson(`The body is nested more than ${MAX_DEPTH} levels deep.`)
  return parse(decode(body), rules)
}

/** Bodies of this API nest seven deep. */
const MAX_DEPTH = 32

/** Whether arrays and objects of a text, given as its bytes, are nested more than `levels` deep. */
function isDeeperThan(levels: number, body: Uint8Array): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]
    if (byte === QUOTE) inString = !inString
    else if (inString) at += byte === BACKSLASH ? 1 : 0
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > levels) return true
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--
  }
  return false
}
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const QUOTE = 0x22
const BACKSLASH = 0x5c

function checkMediaType(contentType: string, { mergePatch = false }: JsonRules): void {
  const taken = ['application/json', ...(mergePatch ? ['application/merge-patch+json'] : [])]
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  if (taken.includes(type) && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))) return
  throw new DomainError(
    'unsupported-media-type',
    `The body must be ${taken.join(' or ')} in UTF-8, not ${JSON.stringify(contentType.slice(0, MAX_SHOWN_CHARS))}.`,
    { target: 'Content-Type' },
  )
}
const MAX_SHOWN_CHARS = 100

function decode(body: Buffer): string {
  try {
    return UTF8.decode(body)
  } catch (error) {
    throw invalidJson('The body is not valid UTF-8.', error)
  }
}
/** A byte order mark is not JSON: it is kept, and refused. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parse(text: string, { trailingCommas }: JsonRules): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    // Only a text that is not strict JSON is scanned.
    const { fault, text: tolerated } = scan(text, trailingCommas)
    if (fault === undefined && tolerated !== text) return JSON.parse(tolerated) as unknown
    throw invalidJson(`The body is not valid JSON${fault === undefined ? '' : ` ${inWords(text, fault)}`}.`, error)
  }
}

const inWords = (text: string, { at, expected }: { at: number; expected: string }): string => {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  const found =
    at < text.length
      ? `not ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) as number))}`
      : 'but the body ends'
  return `at line ${line}, column ${column}: ${expected} must come here, ${found}`
}

const invalidJson = (message: string, cause?: unknown): DomainError =>
  new DomainError('invalid-json', message, cause === undefined ? {} : { cause })
