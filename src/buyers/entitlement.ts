/** What an operator lets a resource buy: `{country}`, `{country}:{type}` or `{country}:{type}:{assignment}`. */
import { invalidInput, type DomainError } from '../errors.js'
import { assignmentTypes, numberTypes, type AssignmentType, type NumberType } from '../ledger/number.js'

/** An entitlement as it is stored, with its country in capitals. Throws 'invalid-input' when `text` is none. */
export function parseEntitlement(text: string): string {
  const [country = '', type, assignment, ...more] = text.split(':')
  const countryCode = country.toUpperCase()
  if (!/^[A-Z]{2}$/.test(countryCode)) throw faulty(text, `"${country}" is no country code`)
  if (type !== undefined && !isOneOf(numberTypes, type)) {
    throw faulty(text, `"${type}" is none of ${numberTypes.join(', ')}`)
  }
  if (assignment !== undefined && !isOneOf(assignmentTypes, assignment)) {
    throw faulty(text, `"${assignment}" is none of ${assignmentTypes.join(', ')}`)
  }
  if (more.length > 0) throw faulty(text, 'it has more than three parts')
  return [countryCode, type, assignment].filter((part) => part !== undefined).join(':')
}

const faulty = (text: string, fault: string): DomainError =>
  invalidInput(
    `"${text}" names no offerings: ${fault}. Good ones are US, US:tollFree and US:tollFree:application.`,
    'entitledTo',
  )

const isOneOf = (words: readonly string[], word: string): boolean => words.includes(word)

/** Whether one of the entitlements covers an offering. */
export const isEntitled = (
  entitledTo: readonly string[],
  offering: { countryCode: string; numberType: NumberType; assignmentType: AssignmentType },
): boolean =>
  entitledTo.some((entitlement) => {
    const [countryCode, numberType, assignmentType] = entitlement.split(':')
    return (
      countryCode === offering.countryCode &&
      (numberType === undefined || numberType === offering.numberType) &&
      (assignmentType === undefined || assignmentType === offering.assignmentType)
    )
  })
