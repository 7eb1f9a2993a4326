/**
 * Turns bodies of api-version 2023-10-01 into the commands' input. That version had no switches of services on
 * accounts: an account it creates has Operator Connect and Zoom on, without sync, and Direct Routing when it is
 * configured.
 */
import type { Static } from 'typebox'
import type { AccountService, AccountSettings } from '../../accounts/account.js'
import type { NumberDetails, NumberToPut } from '../../accounts/account-number.js'
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import { DomainError } from '../../errors.js'
import { policies } from '../../http/body-policies.js'
import { reader } from '../../http/body-reader.js'
import { readWhole } from '../body/faults.js'
import { readNumbers } from '../body/read-batch.js'
import * as models from './models.js'

const accountReader = reader(models.AccountDetailsRequest, policies.provisioning)
const numberReader = reader(models.NumberDetailsRequest, policies.provisioning)
const batchNumberReader = reader(models.BatchNumberRequest, policies.provisioning)

const switchedOn = (): AccountService => ({ syncEnabled: false, enabled: true })

/** Throws 'invalid-body'. */
export function accountOf2023(body: unknown, name: string): AccountSettings {
  const { directRouting } = readWhole(accountReader, body)
  return {
    name,
    correlationId: null,
    teamsTenantId: null,
    services: {
      teamsOperatorConnect: switchedOn(),
      ...(directRouting && { teamsDirectRouting: { ...switchedOn(), configuration: directRouting } }),
      zoomPhoneCloudPeering: switchedOn(),
    },
  }
}

/** Throws 'invalid-body'. */
export const numberOf2023 = (body: unknown, e164: string): NumberToPut => ({
  e164,
  details: numberDetails(readWhole(numberReader, body)),
})

/** Throws 'batch-empty', 'batch-too-large', 'duplicate-in-batch' or 'invalid-body'. */
export const batchOf2023 = (body: unknown): NumberToPut[] =>
  readNumbers(body, batchNumberReader, ({ phoneNumber }) => phoneNumber).map(({ phoneNumber, details }) => ({
    e164: phoneNumber,
    details: numberDetails(details),
  }))

/** Without `services` a number is one of Operator Connect. */
const numberDetails = ({ services, configuration }: Static<typeof models.NumberDetailsRequest>): NumberDetails => ({
  serviceDetails: {
    teamsOperatorConnect: { enabled: services?.teamsOcEnabled ?? true },
    teamsDirectRouting: { enabled: services?.teamsDrEnabled ?? false },
    zoomPhoneCloudPeering: { enabled: services?.zoomEnabled ?? false },
  },
  ...(configuration && { configuration }),
})

/** The services that this version can switch on a number. */
const switchable: readonly ServiceKey[] = ['teamsOperatorConnect', 'teamsDirectRouting', 'zoomPhoneCloudPeering']

/**
 * Throws 'not-representable' when an account has anything that this version can't express: replacing it would lose that
 * silently.
 */
export function assertRepresentableAccount({ name, correlationId, teamsTenantId, services }: AccountSettings): void {
  const lost = [
    ...(correlationId === null ? [] : ['correlationId']),
    ...(teamsTenantId === null ? [] : ['serviceDetails.teamsTenantId']),
    ...serviceKeys.flatMap((key) => {
      const service = services[key]
      return service === undefined ? [] : lostOfAccount(key, service).map((part) => `serviceDetails.${key}${part}`)
    }),
  ]
  if (lost.length > 0) throw notRepresentable(`Account ${name}`, lost)
}

function lostOfAccount(key: ServiceKey, { enabled, syncEnabled = false, configuration }: AccountService): string[] {
  if (!switchable.includes(key)) return enabled || syncEnabled ? [''] : []
  return [
    // Its accounts have every service on.
    ...(enabled ? [] : ['.enabled']),
    ...(syncEnabled ? ['.syncEnabled'] : []),
    ...(key === 'teamsDirectRouting' && configuration === undefined ? [''] : []),
  ]
}

/** Like `assertRepresentableAccount`, for a number. */
export function assertRepresentableNumber({ e164, details }: Pick<NumberToPut, 'e164' | 'details'>): void {
  const lost = serviceKeys.flatMap((key) => {
    const { enabled = false, assignmentStatus, configuration } = details.serviceDetails[key] ?? {}
    return [
      ...(enabled && !switchable.includes(key) ? [''] : []),
      ...(assignmentStatus === undefined ? [] : ['.assignmentStatus']),
      ...(configuration === undefined ? [] : ['.configuration']),
    ].map((part) => `serviceDetails.${key}${part}`)
  })
  if (lost.length > 0) throw notRepresentable(`Number ${e164}`, lost)
}

const notRepresentable = (what: string, lost: readonly string[]): DomainError =>
  new DomainError(
    'not-representable',
    `${what} has ${lost.join(', ')}, which api-version 2023-10-01 can't express and would lose. ` +
      'Use api-version 2024-02-29.',
    { ...(lost[0] !== undefined && { target: lost[0] }) },
  )
