/** From bodies of api-versions 2024 to what the commands take. All faults of a body are told in one error. */
import type { Static } from 'typebox'
import type { AccountService, AccountSettings } from '../../accounts/account.js'
import type { NumberDetails, NumberService, NumberToPut } from '../../accounts/account-number.js'
import type { RelationshipPatch } from '../../accounts/consent.js'
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import * as requests from '../contract/requests.js'
import { readNumbers } from './read-batch.js'
import { Faults, readWhole, strictReader, within, type Reader } from './strict-reader.js'

const accountReader = strictReader(requests.AccountRequest)
const numberReader = strictReader(requests.NumberRequest)
const batchNumberReader = strictReader(requests.BatchNumberRequest)
const identifierReader = strictReader(requests.NumberIdentifier)
const patchReader = strictReader(requests.RequestForInformationPatch)
const emptyReader = strictReader(requests.NoContent)

/** An account as it is to be. Throws 'invalid-body'. */
export function readAccount(body: unknown, accountName: string): AccountSettings {
  const faults = new Faults()
  const account = accountReader(body, '', faults)
  checkKey(account.name, accountName, 'name', faults)
  faults.throwIfAny()
  const { teamsTenantId, ...services } = account.serviceDetails ?? {}
  return {
    name: accountName,
    correlationId: account.correlationId ?? null,
    teamsTenantId: teamsTenantId ?? null,
    services: accountServices(services),
  }
}

type AccountServices = Omit<Static<typeof requests.AccountServiceDetailsRequest>, 'teamsTenantId'>

function accountServices(given: AccountServices): AccountSettings['services'] {
  const { teamsDirectRouting, ...others } = given
  const services: Partial<Record<ServiceKey, AccountService>> = {}
  for (const key of serviceKeys) {
    const service = key === 'teamsDirectRouting' ? undefined : others[key]
    if (service) services[key] = service
  }
  if (teamsDirectRouting) {
    const { syncEnabled, enabled, configuration } = teamsDirectRouting
    services.teamsDirectRouting = {
      syncEnabled,
      enabled,
      ...(configuration && { configuration: { ...configuration, callScreening: configuration.callScreening ?? true } }),
    }
  }
  return services
}

/** A number as it is to be; the body may repeat what the path says. Throws 'invalid-body'. */
export function readNumber(body: unknown, { accountName, e164 }: { accountName: string; e164: string }): NumberToPut {
  const faults = new Faults()
  const number = numberReader(body, '', faults)
  checkKey(number.telephoneNumber, e164, 'telephoneNumber', faults)
  checkKey(number.accountName, accountName, 'accountName', faults)
  faults.throwIfAny()
  return { e164, details: numberDetails(number) }
}

function numberDetails({
  serviceDetails,
  configuration,
}: Pick<Static<typeof requests.NumberRequest>, 'serviceDetails' | 'configuration'>): NumberDetails {
  const services: Partial<Record<ServiceKey, NumberService>> = {}
  for (const key of serviceKeys) {
    const service: TeamsNumberService | undefined = serviceDetails[key]
    if (service) services[key] = numberService(service)
  }
  return { serviceDetails: services, ...(configuration && { configuration }) }
}

type TeamsNumberService = Static<typeof requests.TeamsNumberServiceRequest>

const numberService = ({ configuration, ...service }: TeamsNumberService): NumberService => ({
  ...service,
  ...(configuration && {
    configuration: { ...configuration, allowTenantAddressUpdate: configuration.allowTenantAddressUpdate ?? false },
  }),
})

function checkKey(given: string | undefined, inPath: string, path: string, faults: Faults): void {
  if (typeof given !== 'string' || given === inPath || faults.all.some(({ target }) => target === path)) return
  faults.add(
    path,
    `${path} must be that of the path, ${JSON.stringify(inPath)}, or be left out; it is ${JSON.stringify(given.slice(0, 100))}.`,
  )
}

/**
 * The numbers of `:createOrUpdateNumbers`, each as it is to be. Throws 'batch-empty', 'batch-too-large',
 * 'duplicate-in-batch' or 'invalid-body'.
 */
export function readBatch(body: unknown, accountName: string): NumberToPut[] {
  const read: Reader<Static<typeof requests.BatchNumberRequest>> = (value, path, faults) => {
    const number = batchNumberReader(value, path, faults)
    checkKey(number.accountName, accountName, within(path, 'accountName'), faults)
    return number
  }
  const numbers = readNumbers(body, read, ({ telephoneNumber }) => telephoneNumber)
  return numbers.map((number) => ({ e164: number.telephoneNumber, details: numberDetails(number) }))
}

/** The E.164 of identified numbers; one that comes twice counts once. Throws 'batch-empty', 'batch-too-large', 'invalid-body'. */
export function readIdentifiers(body: unknown): string[] {
  const numbers = readNumbers(body, identifierReader)
  return [...new Set(numbers.map(({ telephoneNumber }) => telephoneNumber))]
}

/** What is to change of the operator's answer to a request for information. Throws 'invalid-body'. */
export function readConsentPatch(body: unknown): RelationshipPatch {
  const { customerRelationship } = readWhole(patchReader, body)
  if (customerRelationship === undefined) return {}
  // Null for the whole object clears all of it.
  return customerRelationship ?? { status: null, comment: null }
}

/** The body of an action that takes none: nothing, or an object without properties. Throws 'invalid-body'. */
export function readNothing(body: unknown): void {
  if (body !== undefined) readWhole(emptyReader, body)
}
