/** The simulated backends' rules for numbers, and the effects of their commands. */
import type { BackendNumber, NumberConfiguration, NumberCommand, NumberUpload, ServiceCode } from '../port/backend.js'
import type { BackendFault } from '../port/call.js'
import { isTeams } from '../port/services.js'
import type { CapabilityPlan, CivicAddress } from '../port/teams.js'
import type { SimulatedSettings } from './misbehaviour.js'
import type { Act, Remembered } from './receive.js'

export interface NumberDocument extends Remembered {
  /** Absent: not there (any more). */
  number?: HeldNumber
}

export interface HeldNumber {
  tenantId: string
  configuration: NumberConfiguration
  assignmentStatus?: string
}

/** What the rules for numbers depend on besides the number. */
export interface Surroundings {
  service: ServiceCode
  tenantId: string
  settings: SimulatedSettings
  plans: readonly CapabilityPlan[]
  addresses: readonly CivicAddress[]
}

export const sameTenant = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Carries out commands about numbers. */
export const numberAct =
  (around: Surroundings): Act<NumberDocument, NumberUpload | NumberCommand> =>
  (document, method, command) => {
    const { number } = document
    const mine = number !== undefined && sameTenant(number.tenantId, around.tenantId) ? number : undefined
    switch (method) {
      case 'unassignNumbers':
        if (mine?.assignmentStatus !== 'assigned') return { acted: false }
        mine.assignmentStatus = 'unassigned'
        return { acted: true }
      case 'releaseNumbers':
        if (!mine) return { acted: false }
        if (mine.assignmentStatus === 'assigned') return { fault: stillAssigned(command.e164, around.service) }
        delete document.number
        return { acted: true }
      default: {
        if (number && !mine) return { fault: heldElsewhere(command.e164, around.service) }
        const upload = command as NumberUpload
        const fault = isTeams(around.service) ? configurationFault(upload.configuration, around) : undefined
        if (fault) return { fault }
        document.number = taken(upload, mine, around)
        return { acted: true }
      }
    }
  }

function taken(upload: NumberUpload, before: HeldNumber | undefined, around: Surroundings): HeldNumber {
  const { configuration, assignmentStatus } = upload
  const held = { tenantId: around.tenantId, configuration }
  if (!isTeams(around.service)) return held
  const begins = around.settings.assignOnUpload ? 'assigned' : 'unassigned'
  return { ...held, assignmentStatus: assignmentStatus ?? before?.assignmentStatus ?? begins }
}

/** A number as the backend reports it. */
export function reportNumber(
  e164: string,
  { tenantId, configuration, assignmentStatus }: HeldNumber,
  { service, plans }: Pick<Surroundings, 'service' | 'plans'>,
): BackendNumber {
  if (!isTeams(service)) return { e164, tenantId }
  const available = availableCapabilities(configuration, plans)
  const mandatory = plansOf(configuration, plans).flatMap((plan) => plan.mandatoryCapabilities ?? [])
  const chosen = (configuration.choosableCapabilities ?? []).filter((capability) => available.includes(capability))
  return {
    e164,
    tenantId,
    configuration,
    ...(assignmentStatus !== undefined && { assignmentStatus }),
    acquiredCapabilities: [...new Set([...mandatory, ...chosen])],
    availableCapabilities: available,
  }
}

export const availableCapabilities = (
  configuration: NumberConfiguration,
  plans: readonly CapabilityPlan[],
): string[] => [
  ...new Set(
    plansOf(configuration, plans).flatMap((plan) => [
      ...(plan.mandatoryCapabilities ?? []),
      ...(plan.choosableCapabilities ?? []),
    ]),
  ),
]

/** The plans of the number's usages. */
const plansOf = ({ usage, additionalUsages = [] }: NumberConfiguration, plans: readonly CapabilityPlan[]) =>
  plans.filter((plan) => plan.usage === usage || additionalUsages.includes(plan.usage))

function configurationFault(configuration: NumberConfiguration, around: Surroundings): BackendFault | undefined {
  const missing = missingAttributes(configuration)
  const message =
    missing.length > 0
      ? `Invalid/missing required configuration attributes: ${missing.join(', ')}`
      : around.settings.strict
        ? strictFault(configuration, around)
        : undefined
  return message === undefined ? undefined : { code: 'InvalidRequest', message, target: around.service }
}

/** An empty list of capabilities is a choice, a missing one is not. */
const missingAttributes = ({ usage, choosableCapabilities }: NumberConfiguration): string[] => [
  ...(usage === undefined || usage === '' ? ['Usage'] : []),
  ...(choosableCapabilities === undefined ? ['ChoosableCapabilities'] : []),
]

/** Describes what the strict switch refuses; undefined when it refuses nothing. */
function strictFault(configuration: NumberConfiguration, { plans, addresses }: Surroundings): string | undefined {
  const { usage = '', additionalUsages = [], choosableCapabilities = [], civicAddressId, locationId } = configuration
  const usages = plans.map((plan) => plan.usage)
  const unknownUsage = [usage, ...additionalUsages].find((one) => !usages.includes(one))
  if (unknownUsage !== undefined) return `Unknown usage ${unknownUsage}; known: ${usages.join(', ')}`

  const available = availableCapabilities(configuration, plans)
  const outside = choosableCapabilities.filter((capability) => !available.includes(capability))
  if (outside.length > 0) return `Capabilities outside the plan of ${usage}: ${outside.join(', ')}`

  if (civicAddressId !== undefined && !addresses.some(({ id }) => id === civicAddressId)) {
    return `Unknown civic address ${civicAddressId}`
  }
  const locations = addresses.flatMap((address) => address.locations ?? [])
  if (locationId !== undefined && !locations.some(({ id }) => id === locationId))
    return `Unknown location ${locationId}`

  const placed = civicAddressId !== undefined || locationId !== undefined || configuration.allowTenantAddressUpdate
  return usage === 'CallingUserAssignment' && !placed
    ? 'CallingUserAssignment needs an emergency address: a CivicAddressId, a LocationId or AllowTenantAddressUpdate'
    : undefined
}

const stillAssigned = (e164: string, target: ServiceCode): BackendFault => ({
  code: 'NumberAssigned',
  message: `The telephone number ${e164} is assigned to a user and has to be unassigned before it can be released.`,
  target,
})

const heldElsewhere = (e164: string, target: ServiceCode): BackendFault => ({
  code: 'NumberInUse',
  message: `The telephone number ${e164} belongs to another tenant.`,
  target,
})
