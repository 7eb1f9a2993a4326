import {
  searchOperatorInformation as contract,
  type OperatorInformation as OperatorInformationView,
} from '../contract/operator-information.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import {
  searchOperatorInformation,
  type OperatorInformation,
} from '../operator-information/search-operator-information.js'
import type { AddRoute } from './route.js'

export function addOperatorInformationRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  add(contract, async ({ body }) => {
    const withDetails = body.options?.includeAdditionalOperatorDetails === true
    const information = await searchOperatorInformation(deps, body.phoneNumbers, { withDetails })
    return { values: [operatorInformationView(information)] }
  })
}

/** Properties that weren't requested are null. */
const operatorInformationView = ({ e164, formats, details }: OperatorInformation): OperatorInformationView => ({
  phoneNumber: e164,
  nationalFormat: formats.national,
  internationalFormat: formats.international,
  isoCountryCode: details?.countryCode ?? null,
  numberType: details?.numberType ?? null,
  operatorDetails: details?.operator ?? null,
})
