/** Turns bodies of api-versions 2024 into the commands' input. One error reports all faults of a body. */
import type { Static } from 'typebox'
import type { AccountService, AccountSettings } from '../../accounts/account.js'
import type { NumberDetails, NumberService, NumberToPut } from '../../accounts/account-number.js'
import type { RelationshipPatch } from '../../accounts/consent.js'
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import { policies } from '../../http/body-policies.js'
import { place, reader, type Path } from '../../http/body-reader.js'
import * as requests from '../contract/requests.js'
import { readWhole, together, type PlacedFault } from './faults.js'
import { readNumbers } from './read-batch.js'

const accountReader = reader(requests.AccountRequest, policies.provisioning)
const numberReader = reader(requests.NumberRequest, policies.provisioning)
const batchNumberReader = reader(requests.BatchNumberRequest, policies.provisioning)
const identifierReader = reader(requests.NumberIdentifier, policies.provisioning)
const patchReader = reader(requests.RequestForInformationPatch, policies.provisioning)
const emptyReader = reader(requests.NoContent, policies.provisioning)

/** The wanted account. Throws 'invalid-body'. */
export function readAccount(body: unknown, accountName: string): AccountSettings {
  const { value: account, faults } = accountReader(body)
  const all = [...faults, ...otherThanInPath(account.name, accountName, ['name'], faults)]
  if (all.length > 0) throw together(all)
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

/** The wanted number; the body may repeat what the path says. Throws 'invalid-body'. */
export function readNumber(body: unknown, { accountName, e164 }: { accountName: string; e164: string }): NumberToPut {
  const { value: number, faults } = numberReader(body)
  const all = [
    ...faults,
    ...otherThanInPath(number.telephoneNumber, e164, ['telephoneNumber'], faults),
    ...otherThanInPath(number.accountName, accountName, ['accountName'], faults),
  ]
  if (all.length > 0) throw together(all)
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

/** The fault of a body that contradicts the path; none when that value has a fault already. */
function otherThanInPath(
  given: string | undefined,
  inPath: string,
  path: Path,
  faults: readonly PlacedFault[],
): PlacedFault[] {
  const where = place(path)
  if (typeof given !== 'string' || given === inPath || faults.some((fault) => place(fault.path) === where)) return []
  const is = JSON.stringify(given.slice(0, 100))
  return [
    { path, detail: `${where} must be that of the path, ${JSON.stringify(inPath)}, or be left out; it is ${is}.` },
  ]
}

/**
 * The wanted numbers of `:createOrUpdateNumbers`. Throws 'batch-empty', 'batch-too-large',
 * 'duplicate-in-batch' or 'invalid-body'.
 */
export function readBatch(body: unknown, accountName: string): NumberToPut[] {
  const read = (item: unknown, at: Path) => {
    const { value, faults } = batchNumberReader(item, at)
    const others = otherThanInPath(value.accountName, accountName, [...at, 'accountName'], faults)
    return { value, faults: [...faults, ...others] }
  }
  const numbers = readNumbers(body, read, ({ telephoneNumber }) => telephoneNumber)
  return numbers.map((number) => ({ e164: number.telephoneNumber, details: numberDetails(number) }))
}

/**
 * The E.164 of identified numbers; one that comes twice counts once. Throws 'batch-empty', 'batch-too-large',
 * 'invalid-body'.
 */
export function readIdentifiers(body: unknown): string[] {
  const numbers = readNumbers(body, identifierReader)
  return [...new Set(numbers.map(({ telephoneNumber }) => telephoneNumber))]
}

/** The change of the operator's response to a request for information. Throws 'invalid-body'. */
export function readConsentPatch(body: unknown): RelationshipPatch {
  const { customerRelationship } = readWhole(patchReader, body)
  if (customerRelationship === undefined) return {}
  // Null for the whole object clears all of it.
  return customerRelationship ?? { status: null, comment: null }
}

/** Reads the body of an action without input: nothing, or an object without properties. Throws 'invalid-body'. */
export function readNothing(body: unknown): void {
  if (body !== undefined) readWhole(emptyReader, body)
}
