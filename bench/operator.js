import { readConfig } from '../dist/config/config.js'
import { systemClock } from '../dist/clock.js'
import { openPostgres } from '../dist/db/postgres.js'
import { createLogger } from '../dist/log.js'
import { policyFrom } from '../dist/compose/parts/policy.js'
import { AnnouncedConsents } from '../dist/accounts/commands/consents.js'
import { StoredZone } from '../dist/backends/dns/stored-zone.js'
import { withConnections } from './connection.js'
import { HTTP_ONLY, startLinebook } from './service.js'

const VERSION = '2024-02-29'
const SCOPE = 'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net/.default'

export const ACCOUNT = 'bench'
export const TENANT = 'bench-tenant'

/** Operator Connect at an address where nothing listens: numbers become due for sync, and no time goes into it. */
const DEAD_BACKEND = JSON.stringify({ teamsOperatorConnect: { url: 'http://127.0.0.1:9' } })

/** The access token of an emulator's administrator. @param {number} port */
async function tokenFrom(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/linebook/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'linebook-admin',
      client_secret: 'linebook-standin',
      scope: SCOPE,
    }),
  })
  if (!answer.ok) throw new Error(`No token: ${answer.status} ${await answer.text()}`)
  return (await answer.json()).access_token
}

/**
 * A request to the Provisioning API as bytes.
 * @param {{ port: number, token: string }} service @param {string} method @param {string} path @param {object}
 * [content]
 */
export function operatorRequest({ port, token }, method, path, content) {
  const body = content === undefined ? '' : JSON.stringify(content)
  const lines = [
    `${method} ${path}${path.includes('?') ? '&' : '?'}api-version=${VERSION} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    ...(content === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

/** The account whose numbers are to be synced. */
const accountBody = {
  serviceDetails: { teamsTenantId: TENANT, teamsOperatorConnect: { syncEnabled: true, enabled: true } },
}

/** A number as the documented sample has it, its key left to the path. */
export const numberBody = {
  serviceDetails: {
    teamsOperatorConnect: {
      enabled: true,
      configuration: { usage: 'CallingUserAssignment', choosableCapabilities: ['InboundCalling', 'OutboundCalling'] },
    },
  },
}

/** What is stored of that. */
export const storedDetails = {
  serviceDetails: {
    teamsOperatorConnect: {
      enabled: true,
      configuration: {
        ...numberBody.serviceDetails.teamsOperatorConnect.configuration,
        allowTenantAddressUpdate: false,
      },
    },
  },
}

/** Numbers that no country has, each given once: `+999` and a count. */
export const freshNumbers = (from = 0) => {
  let next = from
  return () => `+999${String(next++).padStart(9, '0')}`
}

/** An Operator Connect that answers at once and stores nothing. */
export const instantBackend = {
  name: 'simulated',
  batchSize: 500,
  concurrency: 4,
  timeoutMs: 10_000,
  unavailable: () => undefined,
  upsertTenants: async (tenants) => tenants.map(() => ({ kind: 'done', value: undefined })),
  uploadNumbers: async (tenantId, numbers) =>
    numbers.map(({ e164 }) => ({ kind: 'done', value: { e164, tenantId, assignmentStatus: 'assigned' } })),
}

/**
 * What commands and reconcilers need to be called straight, without HTTP.
 * @param {string} url of a database that a server has run on @param {object} [backends]
 */
export async function openOperatorDeps(url, backends = { oc: instantBackend }) {
  const config = readConfig({ DATABASE_URL: url, LINEBOOK_LOG_LEVEL: 'fatal' })
  const logger = createLogger(config.logLevel)
  const db = await openPostgres({ connectionString: url, poolSize: config.databasePoolSize, logger })
  const clock = systemClock
  return {
    db,
    clock,
    logger,
    backends,
    zone: new StoredZone(db),
    regions: { baseDomain: config.baseDomain, pattern: config.dnsRegionPattern, count: 2, enforceLength: false },
    rules: { exclusiveServices: true, rejectUnsupportedSipHeader: true },
    policyOf: policyFrom(config),
    initialAssignmentStatus: config.initialAssignmentStatus,
    verifyIntervalMs: config.verifyIntervalMs,
    announced: new AnnouncedConsents({ clock, backends }),
    nudge: () => {},
    close: () => db.close(),
  }
}

/**
 * A server on a database of its own, with an account whose numbers are to be synced, and the same commands without
 * HTTP.
 * @param {import('./postgres.js').DurablePostgres} postgres @param {string} name of the database
 */
export async function openOperator(postgres, name) {
  const url = await postgres.createDatabase(name)
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY, LINEBOOK_BACKENDS: DEAD_BACKEND })
  try {
    const service = { port: linebook.port, token: await tokenFrom(linebook.port) }
    await withConnections(linebook.port, 1, async ([connection]) => {
      const account = operatorRequest(service, 'PUT', `/accounts/${ACCOUNT}`, accountBody)
      ;(await connection.send(account)).expect(201)
    })
    return { url, service, stop: () => linebook.stop() }
  } catch (error) {
    await linebook.stop()
    throw error
  }
}
