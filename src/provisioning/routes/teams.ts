/** Data and requests of Teams tenants: translates between the wire and the commands. */
import { find, getConsent, listConsents, patchConsent } from '../../accounts/commands/consents.js'
import {
  availableCapabilities,
  getCivicAddress,
  listCapabilityPlans,
  listCivicAddresses,
} from '../../accounts/commands/teams.js'
import { readConsentPatch, readIdentifiers, readNothing } from '../body/read-body.js'
import * as contract from '../contract/operations.js'
import type { Version2024 } from '../contract/versions.js'
import { addressFields } from '../filter/address-fields.js'
import { consentFields } from '../filter/consent-fields.js'
import { shownAddress, shownConsent } from '../wire/etag.js'
import { readListQuery } from '../wire/list.js'
import {
  bodyOf,
  deferred,
  json,
  pageResponse,
  param,
  preconditionOf,
  readResponse,
  resource,
  type Context,
  type RouteDeps,
  type Routes,
} from '../wire/route.js'
import { availableCapabilitiesView, capabilityPlansView, civicAddressView, consentView } from '../wire/views.js'
import { pageOfWhole, sortKey } from '../wire/whole-list.js'

const versionOf = ({ version }: Context): Version2024 => version as Version2024

const keyOf = ({ id, tenantId }: { id: string; tenantId?: string }): string => sortKey(id, tenantId)

export const teamsRoutes = (deps: RouteDeps): Routes => new Map([...addressRoutes(deps), ...consentRoutes(deps)])

const addressRoutes = (deps: RouteDeps): Routes =>
  new Map([
    [
      contract.listTeamsCivicAddresses,
      async (context) => {
        const query = readListQuery(context.query, addressFields)
        const addresses = await listCivicAddresses(deps, param(context, 'accountName'))
        const page = await pageOfWhole(deps.db, query, addresses.map(civicAddressView), addressFields, keyOf)
        return pageResponse(context, query, page, (address) => address, query.count ? page.total : undefined)
      },
    ],
    [
      contract.getTeamsCivicAddress,
      async (context) => {
        const address = await getCivicAddress(deps, param(context, 'accountName'), param(context, 'civicAddressId'))
        return readResponse(context, shownAddress(address, deps.clock.now()), () => civicAddressView(address))
      },
    ],
    [
      contract.getTeamsCapabilityPlans,
      async (context) => {
        const read = deferred(() => readNothing(bodyOf(deps, context)))
        const plans = await listCapabilityPlans(deps, param(context, 'accountName'), read)
        return json(200, capabilityPlansView(plans))
      },
    ],
    [
      contract.getTeamsAvailableCapabilities,
      async (context) => {
        const read = deferred(() => readIdentifiers(bodyOf(deps, context)))
        return json(
          200,
          availableCapabilitiesView(await availableCapabilities(deps, param(context, 'accountName'), read)),
        )
      },
    ],
  ])

const consentRoutes = (deps: RouteDeps): Routes =>
  new Map([
    [
      contract.listRequestsForInformation,
      async (context) => {
        const query = readListQuery(context.query, consentFields)
        const views = (await listConsents(deps)).map((consent) => consentView(consent, versionOf(context)))
        const page = await pageOfWhole(deps.db, query, views, consentFields, keyOf)
        return pageResponse(context, query, page, (consent) => consent, query.count ? page.total : undefined)
      },
    ],
    [
      contract.getRequestForInformation,
      async (context) => {
        const consent = await getConsent(deps, param(context, 'tenantId'))
        return readResponse(context, shownConsent(consent), () => consentView(consent, versionOf(context)))
      },
    ],
    [
      contract.updateRequestForInformation,
      async (context, { commit }) => {
        const read = deferred(() => readConsentPatch(bodyOf(deps, context)))
        // Read before the transaction begins: no transaction stays open while a backend is queried.
        const announced = await find(deps, param(context, 'tenantId'))
        const response = await commit(async (tx) => {
          const consent = await patchConsent(deps, tx, context.by, announced, {
            precondition: preconditionOf(context, shownConsent),
            read,
          })
          return resource(200, consentView(consent, versionOf(context)), shownConsent(consent))
        })
        deps.nudge([announced.code])
        return response
      },
    ],
  ])
