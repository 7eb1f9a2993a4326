/**
 * The catalogue: offerings by country, number type and assignment type, with their capabilities and price, read from a
 * data file at start (setting LINEBOOK_CATALOGUE_FILE, shape in data/README.md).
 */
import { readFile } from 'node:fs/promises'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { SetupError } from '../../errors.js'
import {
  assignmentTypes,
  capabilityTypes,
  numberTypes,
  type AssignmentType,
  type Capabilities,
  type NumberType,
  type Price,
} from '../../ledger/number.js'

export interface Offering {
  countryCode: string
  numberType: NumberType
  assignmentType: AssignmentType
  capabilities: Capabilities
  /** Per month. */
  price: Price
  resellAgreementRequired: boolean
  /** Whether the buyer needs an address in the country. */
  addressRequired: boolean
  /** No longer sold: it is not listed, and a purchase of numbers that were found before fails. */
  withdrawn: boolean
}

export interface Catalogue {
  /** ISO 3166-1 alpha-2 codes of the countries served. */
  countries: readonly string[]
  /** The offerings sold in a country. */
  offerings(countryCode: string): readonly Offering[]
  /** An offering, withdrawn or not. */
  find(countryCode: string, numberType: NumberType, assignmentType: AssignmentType): Offering | undefined
}

const CatalogueFile = Type.Object({
  countries: Type.Array(
    Type.Object({
      countryCode: Type.String({ pattern: '^[A-Z]{2}$' }),
      offerings: Type.Array(
        Type.Object({
          phoneNumberType: Type.Enum([...numberTypes]),
          assignmentType: Type.Enum([...assignmentTypes]),
          availableCapabilities: Type.Object({
            calling: Type.Enum([...capabilityTypes]),
            sms: Type.Enum([...capabilityTypes]),
          }),
          cost: Type.Object({
            amount: Type.String({ pattern: '^[0-9]{1,8}(\\.[0-9]{1,4})?$' }),
            currencyCode: Type.String({ pattern: '^[A-Z]{3}$' }),
          }),
          isAgreementToNotResellRequired: Type.Boolean(),
          isAddressRequired: Type.Optional(Type.Boolean()),
          isWithdrawn: Type.Optional(Type.Boolean()),
        }),
      ),
    }),
  ),
})

/** Reads a catalogue file. Throws a SetupError that names the place of the first fault. */
export async function readCatalogue(file: string): Promise<Catalogue> {
  const problem = (text: string, cause?: unknown) =>
    new SetupError(`LINEBOOK_CATALOGUE_FILE: "${file}" ${text}`, { cause })
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw problem(`can't be read as JSON: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  const shape = Compile(CatalogueFile)
  if (!shape.Check(content)) {
    const fault = shape.Errors(content)[0]
    throw problem(`is not a catalogue: ${fault?.instancePath || '/'} ${fault?.message}; see data/README.md`)
  }
  const catalogue = createCatalogue(content.countries.flatMap(toOfferings))
  return { ...catalogue, countries: content.countries.map(({ countryCode }) => countryCode) }
}

/** A catalogue of these offerings, in this order. */
export function createCatalogue(offerings: readonly Offering[]): Catalogue {
  const byCountry = new Map<string, Offering[]>()
  const byKey = new Map<string, Offering>()
  for (const offering of offerings) {
    const { countryCode, numberType, assignmentType } = offering
    byCountry.set(countryCode, [...(byCountry.get(countryCode) ?? []), offering])
    byKey.set(offeringKey(countryCode, numberType, assignmentType), offering)
  }
  return {
    countries: [...byCountry.keys()],
    offerings: (countryCode) => (byCountry.get(countryCode) ?? []).filter(({ withdrawn }) => !withdrawn),
    find: (countryCode, numberType, assignmentType) => byKey.get(offeringKey(countryCode, numberType, assignmentType)),
  }
}

const offeringKey = (...parts: [string, NumberType, AssignmentType]): string => parts.join(' ')

const toOfferings = (country: Static<typeof CatalogueFile>['countries'][number]): Offering[] =>
  country.offerings.map((offering) => ({
    countryCode: country.countryCode,
    numberType: offering.phoneNumberType,
    assignmentType: offering.assignmentType,
    capabilities: offering.availableCapabilities,
    price: { amount: offering.cost.amount, currency: offering.cost.currencyCode },
    resellAgreementRequired: offering.isAgreementToNotResellRequired,
    addressRequired: offering.isAddressRequired ?? false,
    withdrawn: offering.isWithdrawn ?? false,
  }))

/** The terms for numbers of one country and type when the buyer gives no assignment. */
export function defaultOffering(
  catalogue: Catalogue,
  countryCode: string,
  numberType: NumberType,
): Offering | undefined {
  const offered = catalogue.offerings(countryCode).filter((offering) => offering.numberType === numberType)
  const wanted = inferredAssignment(offered)
  return offered.find(({ assignmentType }) => assignmentType === wanted)
}

/**
 * The only assignment among these offerings, or else application. The published service infers it too, or fails to: it
 * has answered 500 then.
 */
export function inferredAssignment(offered: readonly Offering[]): AssignmentType {
  const [only, another] = offered
  return only && !another ? only.assignmentType : 'application'
}
