/** The definition of a setting, and parsers for the texts of settings. */

export const modes = ['emulator', 'production'] as const
export type Mode = (typeof modes)[number]

/** The context that a setting's value may depend on. */
export interface SettingContext {
  mode: Mode
  env: NodeJS.ProcessEnv
}

export interface Setting<Name extends string = string, Value = unknown> {
  name: Name
  env: string
  /** Long flag without the dashes. */
  flag: string
  /** The name of the value in `--help`; a setting without one is a switch. */
  value?: string
  help: string
  /** Never shown, neither in messages nor by the Operator API: it is secret, or may contain a secret. */
  secret?: true
  /** The default as people would write it; a function where it depends on the mode. */
  fallback: string | ((mode: Mode) => string)
  /** Shown instead of the default where that depends on the mode. */
  fallbackHelp?: string
  parse(text: string, context: SettingContext): Value
}

export const setting = <const Name extends string, Value>(entry: Setting<Name, Value>): Setting<Name, Value> => entry

export const SECOND_MS = 1_000
export const MINUTE_MS = 60 * SECOND_MS
export const DAY_MS = 24 * 60 * MINUTE_MS

/** Describes valid values, continuing the sentence "it takes …". */
export class BadValue extends Error {}

export const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (text: string): T => {
    const found = values.find((value) => value === text.toLowerCase())
    if (found === undefined) throw new BadValue(`one of ${values.join(', ')}`)
    return found
  }

export const onOff = (text: string): boolean => {
  if (/^(on|true|yes|1)$/i.test(text)) return true
  if (/^(off|false|no|0|)$/i.test(text)) return false
  throw new BadValue('on or off')
}

/** A number in the given unit, as a whole count of the smaller unit that it is kept in. */
export const amount =
  (min: number, max: number, { whole = true, unit = 1 }: { whole?: boolean; unit?: number } = {}) =>
  (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
      throw new BadValue(`a ${whole ? 'whole ' : ''}number from ${min} to ${max}`)
    }
    return Math.round(value * unit)
  }

export const port = (text: string): number | undefined => (text === '' ? undefined : amount(0, 65_535)(text))
export const optionalText = (text: string): string | undefined => (text === '' ? undefined : text)

const MAX_NAME_CHARS = 200

/** A name to be shown to people. */
export const plainName = (text: string): string | undefined => {
  if (text.length > MAX_NAME_CHARS || /\p{Cc}/u.test(text)) throw new BadValue(`at most ${MAX_NAME_CHARS} characters`)
  return optionalText(text.trim())
}

/** A code of so many digits, or nothing. */
export const digits =
  (least: number, most: number, example: string) =>
  (text: string): string | undefined => {
    if (text !== '' && (!/^\d+$/.test(text) || text.length < least || text.length > most)) {
      throw new BadValue(`${least === most ? least : `${least} or ${most}`} digits, e.g. ${example}`)
    }
    return optionalText(text)
  }

export const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

export const hosts = (text: string): string[] => {
  const names = list(text.toLowerCase())
  if (names.some((name) => !/^[a-z0-9.-]+(:\d+)?$/.test(name))) {
    throw new BadValue('host names separated by commas, e.g. numbers.example,numbers.example:8443')
  }
  return names
}

/** Wraps a parser that throws an Error describing valid values. */
export const asParsed =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text)
    } catch (error) {
      throw error instanceof BadValue || !(error instanceof Error) ? error : new BadValue(error.message)
    }
  }

/** A list that may not be empty. */
export const atLeastOne =
  (what: string, examples: readonly string[]) =>
  (text: string): string[] => {
    const items = list(text)
    if (items.length === 0) throw new BadValue(`one or more ${what}, e.g. ${examples.join(',')}`)
    return items
  }
