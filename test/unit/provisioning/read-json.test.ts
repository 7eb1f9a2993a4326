/** Which bytes are a JSON body, and what is said of those that are none. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DomainError } from '../../../src/errors.js'
import { readJson } from '../../../src/provisioning/body/read-json.js'

/** What `act` throws. */
function refusal(act: () => unknown): DomainError {
  try {
    act()
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
  throw new Error('Nothing was refused.')
}

describe('the bytes of a body', () => {
  const rules = { trailingCommas: true }
  const parse = (text: string | Buffer, more: object = {}, type?: string) =>
    readJson(Buffer.from(text), type, { ...rules, ...more })

  it.each([undefined, 'application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"'])(
    'are taken as %s',
    (type) => {
      expect(parse('{"a":1}', {}, type)).toEqual({ a: 1 })
    },
  )

  it.each(['text/plain', 'application/xml', 'application/merge-patch+json', 'application/json; charset=utf-16'])(
    'are not taken as %s',
    (type) => {
      expect(refusal(() => parse('{}', {}, type))).toMatchObject({
        kind: 'unsupported-media-type',
        target: 'Content-Type',
      })
    },
  )

  it('are taken as a merge patch where there is one', () => {
    expect(parse('{}', { mergePatch: true }, 'application/merge-patch+json')).toEqual({})
    expect(parse('{}', { mergePatch: true }, 'application/json')).toEqual({})
  })

  it('may be none where none are needed, whatever they are called', () => {
    expect(parse('', { mayBeEmpty: true }, 'text/plain')).toBeUndefined()
    expect(refusal(() => parse('')).kind).toBe('invalid-json')
  })

  it.each([
    ['{"a":[1,2,],}', { a: [1, 2] }],
    ['[[],{},"x", ]', [[], {}, 'x']],
    ['{"a":",]","b":"\\"," , }', { a: ',]', b: '",' }],
  ])('may have trailing commas: %s', (text, value) => {
    expect(parse(text)).toEqual(value)
    expect(refusal(() => parse(text, { trailingCommas: false })).kind).toBe('invalid-json')
  })

  it.each([
    ['[,]', 1, 2, 'a value or ]', '","'],
    ['[1,,]', 1, 4, 'a value', '","'],
    ['{"a":,}', 1, 6, 'a value', '","'],
    ['{"a",}', 1, 6, 'a colon', '"}"'],
    ['{,}', 1, 2, 'a property name in double quotes or }', '","'],
    ['{"a":1 // no\n}', 1, 8, 'a comma or }', '"/"'],
    ["{'a':1}", 1, 2, 'a property name in double quotes or }', '"\'"'],
    ['{\n  "a": tru\n}', 2, 8, 'a number, true, false or null', '"t"'],
    ['{"a":1}}', 1, 8, 'the end', '"}"'],
    ['{"a":01}', 1, 7, 'a comma or }', '"1"'],
    ['["\\x"]', 1, 3, 'an escape that JSON has', '"\\\\"'],
    ['["a\tb"]', 1, 4, 'the closing quote of a text', '"\\t"'],
    ['{"a":1', 1, 7, 'a comma or }', 'the body ends'],
    ['["a', 1, 4, 'the closing quote of a text', 'the body ends'],
    ['[1}', 1, 3, 'a comma or ]', '"}"'],
    ['NaN', 1, 1, 'a value', '"N"'],
  ])('are refused with the place: %s', (text, line, column, expected, found) => {
    const { kind, message } = refusal(() => parse(text))
    expect(kind).toBe('invalid-json')
    expect(message).toContain(`at line ${line}, column ${column}: ${expected} must come here`)
    expect(message).toContain(found)
  })

  it('are refused when they are no UTF-8', () => {
    expect(refusal(() => parse(Buffer.from([0x22, 0xff, 0x22])))).toMatchObject({ kind: 'invalid-json' })
  })

  it('may be nested 32 deep, brackets in texts not counted, and no deeper', () => {
    const nested = (depth: number) => '['.repeat(depth) + JSON.stringify('[\\"{') + ']'.repeat(depth)
    expect(parse(nested(32))).toBeDefined()
    expect(refusal(() => parse(nested(33))).message).toContain('more than 32 levels')
    expect(refusal(() => parse('['.repeat(1024 * 1024))).kind).toBe('invalid-json')
  })

  it('mean what JSON.parse says, and are refused when it refuses, whatever they are', () => {
    const scrap = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '\\',
      '1',
      '-',
      'true',
      '"a"',
      ' ',
      'e',
      '\n',
      '😀',
    )
    const text = fc.oneof(
      fc.array(scrap, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.json(),
    )
    fc.assert(
      fc.property(text, (body) => {
        let expected: unknown
        try {
          expected = JSON.parse(body)
        } catch {
          if (body === '') return
          expect(refusal(() => parse(body, { trailingCommas: false })).message).toMatch(/must come here|nested/)
          return
        }
        expect(parse(body)).toEqual(expected)
        expect(parse(body.replace(/([^[{\s])(\s*[\]}])$/, '$1,$2'))).toEqual(expected)
      }),
      { numRuns: 2_000 },
    )
  })
})
