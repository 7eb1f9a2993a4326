import { getSipRouting, updateSipRouting } from '../contract/sip-routing.js'
import type * as wire from '../contract/sip-routing.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import type { SipConfiguration, SipConfigurationChange, TrunkChange } from '../sip/configuration.js'
import { findConfiguration } from '../sip/store.js'
import { updateRouting } from '../sip/update-routing.js'
import type { AddRoute } from './route.js'

export function addSipRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  add(getSipRouting, async ({ principal }) => configurationView(await findConfiguration(deps.db, principal.resourceId)))

  add(updateSipRouting, async ({ principal, body }) =>
    configurationView(await updateRouting(deps, principal, changeOf(body))),
  )
}

const changeOf = ({ trunks = {}, routes }: wire.SipConfigurationUpdate): SipConfigurationChange => ({
  trunks: Object.entries(trunks).map(([fqdn, trunk]): TrunkChange =>
    trunk ? { fqdn, ...trunk } : { fqdn, remove: true },
  ),
  routes: routes?.map((route) => ({ ...route, trunks: route.trunks ?? [] })),
})

const configurationView = ({ trunks, routes }: SipConfiguration): wire.SipConfiguration => ({
  trunks: Object.fromEntries(trunks.map(({ fqdn, sipSignalingPort }) => [fqdn, { sipSignalingPort }])),
  routes: routes.map(({ description, name, numberPattern, trunks: ofRoute }) => ({
    ...(description !== undefined && { description }),
    name,
    numberPattern,
    trunks: ofRoute,
  })),
})
