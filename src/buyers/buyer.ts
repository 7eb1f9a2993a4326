/**
 * What a resource may buy: the rules of entitlement, licences and addresses, which an operator sets for it with
 * `linebook resource entitle | limit | address`. Pure; `store.ts` reads what they are about.
 */
import type { AssignmentType, NumberType } from '../ledger/number.js'
import { addressFault, type Address } from './address.js'
import { isEntitled } from './entitlement.js'

/** What is to be bought: numbers of one offering. */
export interface Wanted {
  countryCode: string
  numberType: NumberType
  assignmentType: AssignmentType
  addressRequired: boolean
}

export interface Buyer {
  resourceId: string
  name: string
  /** The stock that it sees; '' for the one that is shared. */
  pool: string
  /** Most numbers that it may own; null: no limit. */
  numberLimit: number | null
  /** What it may buy, see `entitlement.ts`; null: everything. */
  entitledTo: readonly string[] | null
  addresses: Readonly<Record<string, Address>>
}

/** Why something can't be bought, by the published names of search errors. */
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

/** Whether the resource may buy this at all: entitled to it, and with an address where one is needed. */
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
 * Whether the limit leaves room for so many more numbers.
 * @param owned those it owns, and those whose purchase is under way
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
