/** Numbers as people and links write them: `+1 425-555-0100`, `001425…`, digits alone, a space where a `+` was lost. */
import { DomainError } from '../../errors.js'
import { isE164 } from '../../ledger/number.js'

/** The number that is meant. Throws 'invalid-input'. */
export function readE164(text: string, target = 'e164', place = 'path'): string {
  const e164 = digitsOf(text)
  if (e164 !== undefined && isE164(e164)) return e164
  throw notDigits(`${shown(text)} is no phone number: give 2 to 15 digits from the calling code on.`, target, place)
}

/** How the numbers that are meant begin: `+` and digits. Throws 'invalid-input'. */
export function readPrefix(text: string, target: string): string {
  const prefix = digitsOf(text)
  if (prefix !== undefined) return prefix
  throw notDigits(
    `${shown(text)} is not how a number begins: give its digits from the calling code on.`,
    target,
    'query',
  )
}

function digitsOf(text: string): string | undefined {
  const bare = text.replace(/[\s().\-/]/g, '')
  const [, digits] = /^(?:\+|00)?([1-9][0-9]*)$/.exec(bare) ?? []
  return digits === undefined ? undefined : `+${digits}`
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 40))

const notDigits = (message: string, target: string, place: string): DomainError =>
  new DomainError('invalid-input', message, { target, place })
