/** Parameters of paths and queries: their constraints, and functions that read them. */
import Type, { type TString } from 'typebox'
import { invalidInput } from '../../errors.js'
import { AccountName, TelephoneNumber } from './requests.js'

const Visible = '^[^\\u0000-\\u001f\\u007f]+$'

/**
 * The parameters of paths. Tenants are accepted in any form: documented samples use names that are not GUIDs, so they
 * are searched for first (`rfiNotFound` in `consent.ts` has the error for one that isn't found).
 */
export const pathParameters = {
  accountName: AccountName,
  telephoneNumber: TelephoneNumber,
  /** The name of telephoneNumber in 2023-10-01. */
  phoneNumber: TelephoneNumber,
  civicAddressId: Type.String({ minLength: 1, maxLength: 256, pattern: Visible }),
  tenantId: Type.String({ minLength: 1, maxLength: 100, pattern: Visible, description: 'A GUID' }),
} as const satisfies Record<string, TString>
export type PathParameter = keyof typeof pathParameters

const limits = Object.fromEntries(
  Object.entries(pathParameters as Record<string, { minLength?: number; maxLength?: number; pattern?: string }>).map(
    ([name, { minLength = 1, maxLength = Infinity, pattern = '' }]) => [
      name,
      { minLength, maxLength, pattern: new RegExp(pattern, 'u') },
    ],
  ),
) as Record<PathParameter, { minLength: number; maxLength: number; pattern: RegExp }>

const inWords: Record<PathParameter, string> = {
  accountName: '1 to 100 letters, digits, _ and -',
  telephoneNumber: 'an E.164 number: + and 2 to 15 digits, of which the first is not 0',
  phoneNumber: 'an E.164 number: + and 2 to 15 digits, of which the first is not 0',
  civicAddressId: '1 to 256 characters, none of them a control character',
  tenantId: 'a GUID',
}

/**
 * The path's parameters, each checked against its constraint. Throws 'invalid-input' with the parameter's name as
 * target.
 * @param params decoded
 */
export function readPath<Name extends PathParameter>(
  params: Readonly<Record<string, string | undefined>>,
  names: readonly Name[],
): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, readParameter(name, params[name] ?? '')])) as Record<
    Name,
    string
  >
}

/** Like `readPath`, for one value. */
export function readParameter(name: PathParameter, value: string): string {
  const { minLength, maxLength, pattern } = limits[name]
  if (value.length >= minLength && value.length <= maxLength && pattern.test(value)) return value
  throw invalidInput(`${name} must be ${inWords[name]}, not ${JSON.stringify(value.slice(0, MAX_SHOWN_CHARS))}.`, name)
}
const MAX_SHOWN_CHARS = 100

/** The names of the parameters in an operation's path. */
export const parametersIn = (path: string): PathParameter[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as PathParameter)

/**
 * A query parameter that is true or false, and false when left out. Throws 'invalid-input'.
 * @param values of the parameter
 */
export function readFlag(name: string, values: readonly string[] = []): boolean {
  if (values.length > 1) throw invalidInput(`${name} is given ${values.length} times; give it once.`, name)
  const [value = 'false'] = values
  if (value === 'true' || value === 'false') return value === 'true'
  throw invalidInput(
    `${name} must be true or false, in lower case, not ${JSON.stringify(value.slice(0, MAX_SHOWN_CHARS))}.`,
    name,
  )
}
