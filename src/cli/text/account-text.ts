/** Accounts as people read them. */
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import { printable } from './words.js'

/** As the Provisioning API shows it. */
export interface AccountJson {
  name: string
  correlationId?: string
  serviceProvisioningStatus: string
  serviceProvisioningErrors?: { code: string; message: string }[] | null
  serviceDetails: { teamsTenantId?: string } & Partial<Record<ServiceKey, ServiceJson>>
}

interface ServiceJson {
  enabled: boolean
  syncEnabled?: boolean
  numberCount: number
  subdomainStatus?: string
  configuration?: { subdomain: string }
}

export const accountLine = (account: AccountJson): string => {
  const services = servicesOf(account).map(([key, { numberCount }]) => `${key} (${numberCount})`)
  return `${account.name.padEnd(24)} ${account.serviceProvisioningStatus.padEnd(8)} ${services.join(', ') || 'no service'}`
}

export function accountText(account: AccountJson): string {
  const { name, correlationId, serviceProvisioningStatus, serviceProvisioningErrors, serviceDetails } = account
  const facts: [string, string[]][] = [
    ['status', [serviceProvisioningStatus]],
    ['errors', (serviceProvisioningErrors ?? []).map(({ code, message }) => printable(`${code}: ${message}`))],
    ['correlation', correlationId === undefined ? [] : [printable(correlationId)]],
    ['Teams tenant', serviceDetails.teamsTenantId === undefined ? [] : [printable(serviceDetails.teamsTenantId)]],
    ['services', servicesOf(account).length === 0 ? ['none'] : servicesOf(account).map(serviceText)],
  ]
  const width = Math.max(...facts.map(([label]) => label.length))
  const lines = facts.flatMap(([label, texts]) =>
    texts.map((text, i) => `  ${(i === 0 ? label : '').padEnd(width)}  ${text}`),
  )
  return [name, ...lines].join('\n')
}

const servicesOf = ({ serviceDetails }: AccountJson): [ServiceKey, ServiceJson][] =>
  serviceKeys.flatMap((key) => {
    const service = serviceDetails[key]
    return service?.enabled ? [[key, service] as [ServiceKey, ServiceJson]] : []
  })

function serviceText([key, { numberCount, syncEnabled = true, subdomainStatus, configuration }]: [
  ServiceKey,
  ServiceJson,
]): string {
  const subdomain =
    configuration === undefined ? '' : `, subdomain ${configuration.subdomain} (${subdomainStatus ?? '?'})`
  return `${key}: ${numberCount} numbers${syncEnabled ? '' : ', not synced'}${subdomain}`
}
