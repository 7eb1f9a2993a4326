/**
 * The rules for what a resource may buy: entitlements, limits and addresses, which an operator sets with
 * `linebook resource entitle | limit | address`. Pure; `store.ts` reads the data.
 */
import type { AssignmentType, NumberType } from '../ledger/number.js'
import { addressFault, type Address } from './address.js'
import { isEntitled } from './entitlement.js'

/** The numbers of one offering that a resource wants to buy. */
export interface Wanted {
  countryCode: string
  numberType: NumberType
  assignmentType: AssignmentType
  addressRequired: boolean
}

export interface Buyer {
  resourceId: string
  name: string
  /** The stock that it sees; '' for the shared one. */
  pool: string
  /** The most numbers that it may own; null: no limit. */
  numberLimit: number | null
  /** What it may buy, see `entitlement.ts`; null: everything. */
  entitledTo: readonly string[] | null
  addresses: Readonly<Record<string, Address>>
}

/** Why a purchase is refused, by the published names of search errors. */
export interface Refusal {
  code:
    | 'AuthorizationDenied'
    | 'MissingAddress'
    | 'InvalidAddress'
    | 'NotEnoughLicenses'
    | 'NoWallet'
    | 'NotEnoughCredit'
    | 'InvalidOfferModel'
  message: string
  details?: { code: string; message: string; target?: string }[]
}

/** Refuses an offering that the resource isn't entitled to, or that needs an address the resource doesn't have. */
export function refuseOffering({ name, entitledTo, addresses }: Buyer, wanted: Wanted): Refusal | undefined {
  const { countryCode, numberType, assignmentType } = wanted
  if (entitledTo !== null && !isEntitled(entitledTo, wanted)) {
    return {
      code: 'AuthorizationDenied',
      message: `The resource may not acquire ${numberType} numbers of ${countryCode} for a${assignmentType === 'application' ? 'n' : ''} ${assignmentType}.`,
      details: [
        {
          code: 'NotEntitled',
          message: `It may acquire ${entitledTo.join(', ') || 'nothing'}. The operator changes that with: linebook resource entitle ${name}`,
        },
      ],
    }
  }
  if (!wanted.addressRequired) return undefined
  const address = addresses[countryCode]
  if (address === undefined) {
    return {
      code: 'MissingAddress',
      message: `Numbers of ${countryCode} need an address, and the resource has none there.`,
      details: [
        {
          code: 'AddressNeeded',
          message: `The operator gives it one with: linebook resource address ${name} ${countryCode}`,
        },
      ],
    }
  }
  const fault = addressFault(countryCode, address)
  if (fault === undefined) return undefined
  return { code: 'InvalidAddress', message: `The resource's address in ${countryCode} is not valid: ${fault}` }
}

/**
 * Refuses a quantity that the limit leaves no room for.
 * @param owned the numbers that the resource owns, and those whose purchase is under way
 */
export function refuseQuantity({ numberLimit, name }: Buyer, quantity: number, owned: number): Refusal | undefined {
  if (numberLimit === null || owned + quantity <= numberLimit) return undefined
  const left = Math.max(0, numberLimit - owned)
  return {
    code: 'NotEnoughLicenses',
    message: `The limit of owned numbers is ${numberLimit}; the resource has ${owned} and asks for ${quantity}.`,
    details: [
      {
        code: 'LargestQuantity',
        message: `${left === 0 ? 'Release numbers first' : `Up to ${left} would do`}. The operator changes the limit with: linebook resource limit ${name}`,
        target: 'quantity',
      },
    ],
  }
}
