/** Data that only the enterprise and its Teams tenant have: read from the backend, and not stored. */
import type { CapabilityPlan, CivicAddress } from '../../backends/port/teams.js'
import { DomainError } from '../../errors.js'
import type { Account } from '../account.js'
import { isEnabled } from '../account-number.js'
import { findAccount } from '../account-store.js'
import { activeServices, type ProvisioningDeps } from '../deps.js'
import { readNumbers } from '../number-store.js'
import { ask, askEach, teamsServicesOf } from './ask-backend.js'
import { accountNotFound } from './find.js'

async function accountNamed({ db }: ProvisioningDeps, name: string): Promise<Account> {
  const account = await findAccount(db, name)
  if (account === undefined) throw accountNotFound(name)
  return account
}

/** Throws 'account-not-found', 'tenant-required', 'backend-failed'. */
export async function listCivicAddresses(deps: ProvisioningDeps, accountName: string): Promise<CivicAddress[]> {
  const [service] = teamsServicesOf(deps, await accountNamed(deps, accountName))
  return ask(deps, service, async ({ teams, tenantId }, signal) => teams?.listCivicAddresses(tenantId, signal) ?? [])
}

/** Throws 'account-not-found', 'tenant-required', 'civic-address-not-found', 'backend-failed'. */
export async function getCivicAddress(deps: ProvisioningDeps, accountName: string, id: string): Promise<CivicAddress> {
  const [service] = teamsServicesOf(deps, await accountNamed(deps, accountName))
  const address = await ask(deps, service, async ({ teams, tenantId }, signal) =>
    teams?.getCivicAddress(tenantId, id, signal),
  )
  if (address === undefined) {
    throw new DomainError(
      'civic-address-not-found',
      `The tenant of account ${accountName} has no such civic address.`,
      {
        target: 'civicAddressId',
      },
    )
  }
  return address
}

/**
 * The plans that the operator's calling profiles allow the account.
 * @param read throws when the body is wrong; called once the account was found
 * Throws as listCivicAddresses.
 */
export async function listCapabilityPlans(
  deps: ProvisioningDeps,
  accountName: string,
  read: () => void,
): Promise<CapabilityPlan[]> {
  const account = await accountNamed(deps, accountName)
  read()
  const lists = await askEach(
    deps,
    teamsServicesOf(deps, account),
    async ({ teams, tenantId }, signal) => teams?.listCapabilityPlans(tenantId, signal) ?? [],
  )
  const plans = lists.flat()
  return plans.filter(({ name }, index) => plans.findIndex((plan) => plan.name === name) === index)
}

/**
 * The capabilities that all of the numbers can have, in the backend's order; a number that its backend doesn't know has
 * none. Throws 'invalid-body' naming the numbers that are not on the account with a Teams service on, and as
 * listCivicAddresses.
 */
export async function availableCapabilities(
  deps: ProvisioningDeps,
  accountName: string,
  read: () => readonly string[],
): Promise<string[]> {
  const account = await accountNamed(deps, accountName)
  const e164s = read()
  const asked = teamsServicesOf(deps, account)
  const numbers = new Map(
    (await readNumbers(deps.db, account.id, e164s, activeServices(deps))).map((number) => [number.e164, number]),
  )
  const serviceOf = (e164: string) => {
    const number = numbers.get(e164)
    return number && asked.find(({ key }) => isEnabled(number.details, key))
  }
  const faults = e164s.flatMap((e164, index) =>
    serviceOf(e164) === undefined
      ? [
          new DomainError(
            'invalid-body',
            `${e164} is not on account ${accountName} with Operator Connect or Teams Phone Mobile enabled.`,
            { target: `numbers[${index}]` },
          ),
        ]
      : [],
  )
  if (faults.length > 0) {
    throw new DomainError('invalid-body', `${faults.length} of the numbers can't be asked about.`, { faults })
  }
  const found = await askEach(
    deps,
    asked.map((service) => ({ ...service, its: e164s.filter((e164) => serviceOf(e164) === service) })),
    async ({ teams, tenantId, its }, signal) => {
      const reported = its.length === 0 ? [] : ((await teams?.getAvailableCapabilities(tenantId, its, signal)) ?? [])
      const known = new Map(reported.map((number) => [number.e164, number.availableCapabilities]))
      return its.map((e164) => known.get(e164) ?? [])
    },
  )
  const lists = found.flat()
  const [first = [], ...others] = lists
  return first.filter((capability) => others.every((list) => list.includes(capability)))
}
