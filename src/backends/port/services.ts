/** The services of an account and of a number, as the wire names them, and what is true of each. */
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
  /** How errors, the `sync` table and backends name it. */
  code: ServiceCode
  /** Whether numbers of it carry Teams settings, and accounts of it belong to a Teams tenant. */
  teams: boolean
  /** Whether calls of it can carry the operator's custom SIP header. */
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

/** Whether a service is one of Teams: its numbers have a configuration, and its backend may have a Teams part. */
export const isTeams = (code: ServiceCode): boolean => services[serviceKeyOf[code]].teams
