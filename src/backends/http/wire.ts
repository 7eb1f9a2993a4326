/** Translates between the port and the wire, where numbers have their full name and instants are texts. */
import type { BackendNumber, NumberCommand, NumberUpload } from '../port/backend.js'
import type { Outcome } from '../port/call.js'
import type { Consent, Relationship } from '../port/teams.js'
import type { Wire } from './contract.js'

export const wireNumber = <Item extends { e164: string }>({
  e164,
  ...rest
}: Item): Omit<Item, 'e164'> & { telephoneNumber: string } => ({
  telephoneNumber: e164,
  ...rest,
})

export const wireCommand = ({ e164, idempotencyKey, sequence, ticket }: NumberCommand): Wire['NumberCommand'] => ({
  telephoneNumber: e164,
  idempotencyKey,
  sequence,
  ...(ticket !== undefined && { ticket }),
})

export const wireUpload = (upload: NumberUpload): Wire['NumberUpload'] => ({
  ...wireCommand(upload),
  configuration: upload.configuration as Wire['NumberConfiguration'],
  ...(upload.assignmentStatus !== undefined && { assignmentStatus: upload.assignmentStatus }),
})

export const readNumber = (number: Wire['BackendNumber']): BackendNumber => {
  const { telephoneNumber, ...rest } = number
  return { e164: telephoneNumber, ...rest }
}

export const wireConsent = ({ consentedOn, lastModifiedOn, relationship, ...rest }: Consent): Wire['Consent'] => ({
  ...(rest as Wire['Consent']),
  ...(consentedOn && { consentedOn: consentedOn.toISOString() }),
  ...(lastModifiedOn && { lastModifiedOn: lastModifiedOn.toISOString() }),
  relationship: wireRelationship(relationship),
})

const wireRelationship = ({ lastModifiedOn, ...rest }: Relationship): Wire['Relationship'] => ({
  ...rest,
  ...(lastModifiedOn && { lastModifiedOn: lastModifiedOn.toISOString() }),
})

export const readConsent = ({ consentedOn, lastModifiedOn, relationship, ...rest }: Wire['Consent']): Consent => {
  const { lastModifiedOn: changedOn, ...others } = relationship
  return {
    ...rest,
    ...(consentedOn !== undefined && { consentedOn: new Date(consentedOn) }),
    ...(lastModifiedOn !== undefined && { lastModifiedOn: new Date(lastModifiedOn) }),
    relationship: { ...others, ...(changedOn !== undefined && { lastModifiedOn: new Date(changedOn) }) },
  }
}

/** Reads an outcome; when it lacks a part that its kind needs, returns the part's name. */
export function readOutcome<Value>(
  { outcome, number, error, reason, afterSeconds, ticket }: Wire['Outcome'],
  /** Undefined when the response lacks the value. */
  valueOf: (number: Wire['BackendNumber'] | undefined) => { value: Value } | undefined,
): Outcome<Value> | { missing: string } {
  if (outcome === 'refused') return error ? { kind: 'refused', fault: error } : { missing: 'error' }
  if (outcome === 'later') {
    return {
      kind: 'later',
      reason: reason ?? 'The backend asked to be called again.',
      ...(afterSeconds !== undefined && { afterMs: Math.round(afterSeconds * MS_PER_SECOND) }),
      ...(ticket !== undefined && { ticket }),
    }
  }
  const found = valueOf(number)
  return found ? { kind: 'done', ...found } : { missing: 'number' }
}
const MS_PER_SECOND = 1_000
