/** The services of accounts and numbers, as the wire names them, and their properties. */
import type { ServiceCode } from './backend.js'

export const serviceKeys = [
  'teamsOperatorConnect',
  'teamsPhoneMobile',
  'teamsDirectRouting',
  'zoomPhoneCloudPeering',
  'azureOperatorCallProtection',
] as const
export type ServiceKey = (typeof serviceKeys)[number]

interface Service {
  /** Its name in errors, in the `sync` table and for backends. */
  code: ServiceCode
  /** Whether its numbers have Teams settings, and its accounts belong to a Teams tenant. */
  teams: boolean
  /** Whether its calls can carry the operator's custom SIP header. */
  sipHeader: boolean
  /** Whether a number may use it together with any other service. */
  combines: boolean
}

export const services: Readonly<Record<ServiceKey, Service>> = {
  teamsOperatorConnect: { code: 'oc', teams: true, sipHeader: true, combines: false },
  teamsPhoneMobile: { code: 'tpm', teams: true, sipHeader: false, combines: false },
  teamsDirectRouting: { code: 'dr', teams: false, sipHeader: true, combines: false },
  zoomPhoneCloudPeering: { code: 'zoom', teams: false, sipHeader: true, combines: false },
  azureOperatorCallProtection: { code: 'aocp', teams: false, sipHeader: false, combines: true },
}

/** The key of a service by its code. */
export const serviceKeyOf = Object.fromEntries(serviceKeys.map((key) => [services[key].code, key])) as Readonly<
  Record<ServiceCode, ServiceKey>
>

/** Whether it is a Teams service: its numbers have a configuration, and its backend may have a Teams part. */
export const isTeams = (code: ServiceCode): boolean => services[serviceKeyOf[code]].teams
