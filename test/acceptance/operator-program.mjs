/**
 * An operator's provisioning system as it was written against the original: the official credential, a client of its
 * own, and nothing but an address. It prints what it was answered.
 */
import { randomUUID } from 'node:crypto'
import { ClientSecretCredential } from '@azure/identity'

const [, , origin] = process.argv
const scope = 'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net/.default'
const clientSecret = 'linebook-standin'

const credentialOf = (client) =>
  new ClientSecretCredential('linebook', client, clientSecret, {
    authorityHost: origin,
    disableInstanceDiscovery: true,
  })

const clientOf =
  (credential) =>
  async (method, path, body, headers = {}) => {
    const { token } = await credential.getToken(scope)
    const url = path.startsWith('https:')
      ? path
      : `${origin}${path}${path.includes('?') ? '&' : '?'}api-version=2024-02-29`
    const answer = await fetch(url, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      etag: answer.headers.get('etag'),
      repeated: answer.headers.get('repeatability-result'),
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

const admin = clientOf(credentialOf('linebook-admin'))
const reader = clientOf(credentialOf('linebook-reader'))

const account = {
  name: 'contoso',
  serviceDetails: {
    teamsTenantId: 'tenantIdString',
    teamsOperatorConnect: { syncEnabled: true, enabled: true },
  },
}
const number = (telephoneNumber, usage = 'CallingUserAssignment') => ({
  telephoneNumber,
  accountName: 'contoso',
  serviceDetails: {
    teamsOperatorConnect: {
      enabled: true,
      configuration: { usage, choosableCapabilities: ['InboundCalling', 'OutboundCalling'] },
    },
  },
})
const at = (e164) => `/accounts/contoso/numbers/${e164}`

/** Asks until the number is no longer pending. */
async function settled(e164) {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await reader('GET', at(e164))
    if (answer.body.serviceProvisioningStatus !== 'pending') return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${e164} stays pending`)
}

const seen = {}
seen.readerMayNotWrite = await reader('PUT', '/accounts/contoso', account)
seen.created = await admin('PUT', '/accounts/contoso', account, { 'If-None-Match': '*' })
const repeatable = {
  'Repeatability-Request-ID': randomUUID(),
  'Repeatability-First-Sent': new Date().toUTCString(),
}
seen.put = await admin('PUT', at('+14255550100'), number('+14255550100'), repeatable)
seen.putAgain = await admin('PUT', at('+14255550100'), number('+14255550100'), repeatable)
seen.synced = await settled('+14255550100')
seen.notModified = await reader('GET', at('+14255550100'), undefined, { 'If-None-Match': seen.synced.etag })
await admin('PUT', at('+14255550101'), number('+14255550101', ''))
seen.failed = await settled('+14255550101')
seen.mended = await admin('PUT', at('+14255550101'), number('+14255550101'), { 'If-Match': seen.failed.etag })
seen.batch = await admin('POST', '/accounts/contoso:createOrUpdateNumbers', {
  numbers: ['+14255550102', '+14255550103', '+14255550104'].map((e164) => number(e164)),
})
const walked = []
for (let next = '/accounts/contoso/numbers?maxpagesize=2'; next !== undefined;) {
  const { body } = await reader('GET', next)
  walked.push(...body.value.map(({ telephoneNumber }) => telephoneNumber))
  next = body.nextLink
}
seen.walked = walked
seen.requests = await reader('GET', '/teamsRequestsForInformation')
seen.plans = await reader('POST', '/accounts/contoso:getTeamsCapabilityPlans')
seen.removed = await admin('DELETE', at('+14255550100'))
seen.gone = await reader('GET', at('+14255550100'))
seen.accountKept = await admin('DELETE', '/accounts/contoso')
console.log(JSON.stringify(seen))
