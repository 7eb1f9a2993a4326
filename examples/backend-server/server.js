// A server of Linebook's backend protocol (docs/backend-protocol.md) in plain Node, to be read, run and rewritten:
//
//     node examples/backend-server/server.js --port 9090 --service oc --header "X-Api-Key: secret" --state state.jsonl
//
// It keeps numbers, tenants and the operator's responses to requests for information in memory and, with --state, in a
// file: every change is on disk before it is acknowledged. Put your own system where `carryOut` is.
import { createServer } from 'node:http'
import { timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openJournal } from './journal.js'

const MAX_BODY_BYTES = 4 * 1024 * 1024
const MAX_ITEMS = 1_000
/** How many answers each record remembers, for commands that are sent again. */
const ANSWERS_KEPT = 4

/**
 * A server that doesn't listen yet.
 * @param options `service`, its code (oc, tpm, dr, zoom or aocp); `world`, consents, addresses and plans as in
 * world.json; `header`, `{ name, value }` that every call must carry; `stateFile`
 */
export async function createBackendServer({ service = 'oc', world = readWorld(), header, stateFile } = {}) {
  const records = new Map()
  // A line of the state file calls its record `thing`: files that exist have to stay readable.
  const journal = await openJournal(
    stateFile,
    (line) => records.set(line.id, line.thing),
    () => [...records].map(([id, record]) => ({ id, thing: record })),
  )
  const state = { service, world, records }

  const server = createServer((request, response) => {
    respond(request, { state, journal, header }).then(
      ({ status, body }) => send(response, status, body),
      (error) => {
        const known = error instanceof Refusal
        if (!known) console.error(error)
        const { status, code, message } = known ? error : new Refusal(500, 'InternalError', 'This server failed.')
        send(response, status, { error: { code, message } })
      },
    )
  })
  server.on('close', () => journal.close())
  return server
}

const readWorld = (file = join(dirname(fileURLToPath(import.meta.url)), 'world.json')) =>
  JSON.parse(readFileSync(file, 'utf8'))

/** A refusal of a whole call. */
class Refusal extends Error {
  constructor(status, code, message) {
    super(message)
    this.status = status
    this.code = code
  }
}

const badRequest = (message) => new Refusal(400, 'InvalidRequest', message)

function send(response, status, body) {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}

async function respond(request, { state, journal, header }) {
  if (header && !isEqual(request.headers[header.name.toLowerCase()], header.value)) {
    throw new Refusal(401, 'Unauthorized', `The header ${header.name} is missing or wrong.`)
  }
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  const route = `${request.method} ${pathname}`
  const command = COMMANDS[route]
  const read = READS[route]
  if (!command && !read) throw new Refusal(404, 'NotFound', `${route} is no operation of this protocol.`)

  const body = request.method === 'POST' ? await readJson(request) : undefined
  if (read) {
    const found = read(state, body ?? searchParams)
    // The result may include changes that are still on their way to the disk.
    await journal.settled()
    return { status: 200, body: found }
  }
  const { outcomes, changed } = runCommand(state, command, body)
  await journal.append(changed.map((id) => ({ id, thing: state.records.get(id) })))
  return { status: 200, body: { outcomes } }
}

/** Compares in a time that doesn't depend on where they differ. */
function isEqual(given, wanted) {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

async function readJson(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Refusal(413, 'BodyTooLarge', `A body has at most ${MAX_BODY_BYTES} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw badRequest('The body is not JSON.')
  }
}

/**
 * Processes the items of a command one by one, in their order. This part of the protocol keeps Linebook and a backend
 * in agreement: a repeated command gets the same answer again, and one that arrives after a higher sequence has been
 * superseded and changes nothing.
 */
function runCommand(state, { idOf, carryOut, report }, body) {
  const items = body?.items
  if (!Array.isArray(items)) throw badRequest('items is missing: it is an array.')
  if (items.length > MAX_ITEMS) throw badRequest(`items has ${items.length} entries; ${MAX_ITEMS} are taken.`)
  for (const [index, item] of items.entries()) {
    if (typeof item?.idempotencyKey !== 'string' || !Number.isInteger(item.sequence) || !idOf(item)) {
      throw badRequest(`items.${index} lacks its idempotencyKey, its sequence or what it is about.`)
    }
  }
  const changed = new Set()
  const outcomes = items.map((item) => {
    const id = idOf(item)
    const record = structuredClone(state.records.get(id)) ?? { sequence: 0, answers: [] }
    const earlier = record.answers.find(({ key }) => key === item.idempotencyKey)
    if (earlier?.error) return { outcome: 'refused', error: earlier.error }
    if (!earlier && item.sequence >= record.sequence) {
      const error = carryOut(state, record, item, body.tenantId)
      record.sequence = item.sequence
      record.answers = [...record.answers, { key: item.idempotencyKey, ...(error && { error }) }].slice(-ANSWERS_KEPT)
      state.records.set(id, record)
      changed.add(id)
      if (error) return { outcome: 'refused', error }
    }
    return { outcome: 'done', ...report?.(state, record, item, body.tenantId) }
  })
  return { outcomes, changed: [...changed] }
}

const sameText = (a, b) => String(a).toLowerCase() === String(b).toLowerCase()
const isTeams = ({ service }) => service === 'oc' || service === 'tpm'
const numberId = ({ telephoneNumber }) => telephoneNumber && `number/${telephoneNumber}`
const tenantId = ({ tenantId: tenant }) => tenant && `tenant/${tenant.toLowerCase()}`
const consentId = ({ tenantId: tenant }) => tenant && `consent/${tenant.toLowerCase()}`

/** The number in a record, if it is the tenant's. */
const numberOf = (record, tenant) =>
  record?.number && sameText(record.number.tenantId, tenant) ? record.number : undefined

function putNumber(state, record, { telephoneNumber, configuration, assignmentStatus }, tenant) {
  const target = state.service
  const before = numberOf(record, tenant)
  if (record.number && !before) {
    return {
      code: 'NumberInUse',
      message: `The telephone number ${telephoneNumber} belongs to another tenant.`,
      target,
    }
  }
  if (!isTeams(state)) {
    record.number = { telephoneNumber, tenantId: tenant }
    return
  }
  const { usage, choosableCapabilities } = configuration ?? {}
  const missing = [...(usage ? [] : ['Usage']), ...(choosableCapabilities ? [] : ['ChoosableCapabilities'])]
  if (missing.length > 0) {
    const message = `Invalid/missing required configuration attributes: ${missing.join(', ')}`
    return { code: 'InvalidRequest', message, target }
  }
  record.number = {
    telephoneNumber,
    tenantId: tenant,
    configuration,
    assignmentStatus: assignmentStatus ?? before?.assignmentStatus ?? 'assigned',
  }
}

const reportPut = (state, record, { telephoneNumber }, tenant) => ({
  number: record.number ? reportNumber(state, record.number) : { telephoneNumber, tenantId: tenant },
})

function reportNumber(state, number) {
  if (!isTeams(state)) return number
  const availableCapabilities = capabilitiesOf(state, number)
  const mandatory = plansOf(state, number).flatMap((plan) => plan.mandatoryCapabilities ?? [])
  const chosen = number.configuration.choosableCapabilities.filter((one) => availableCapabilities.includes(one))
  return { ...number, acquiredCapabilities: [...new Set([...mandatory, ...chosen])], availableCapabilities }
}

const plansOf = ({ world, service }, { configuration: { usage, additionalUsages = [] } }) =>
  (world.capabilityPlans[service] ?? []).filter((plan) => [usage, ...additionalUsages].includes(plan.usage))

const capabilitiesOf = (state, number) => [
  ...new Set(
    plansOf(state, number).flatMap((plan) => [
      ...(plan.mandatoryCapabilities ?? []),
      ...(plan.choosableCapabilities ?? []),
    ]),
  ),
]

function unassignNumber(_state, record, _item, tenant) {
  const number = numberOf(record, tenant)
  if (number?.assignmentStatus === 'assigned') number.assignmentStatus = 'unassigned'
}

function releaseNumber({ service }, record, { telephoneNumber }, tenant) {
  const number = numberOf(record, tenant)
  if (number?.assignmentStatus === 'assigned') {
    const message = `The telephone number ${telephoneNumber} is assigned to a user and has to be unassigned before it can be released.`
    return { code: 'NumberAssigned', message, target: service }
  }
  if (number) delete record.number
}

function putTenant(_state, record, { tenantId: tenant, accountName, enabled, syncEnabled }) {
  record.tenant = { tenantId: tenant, accountName, enabled, syncEnabled }
}

function putRelationship({ world, service }, record, { tenantId: tenant, status, comment }) {
  if (!world.consents.some((consent) => sameText(consent.tenantId, tenant))) {
    return { code: 'NotFound', message: `The tenant ${tenant} has given no consent.`, target: service }
  }
  record.relationship = {
    ...(status !== null && { status }),
    ...(comment !== null && { comment }),
    lastModifiedOn: new Date().toISOString(),
  }
}

/** Operations that change something: the id of an item's record, its effect (returns an error, if any), its report. */
const COMMANDS = {
  'POST /tenants/upsert': { idOf: tenantId, carryOut: putTenant },
  'POST /numbers/upload': { idOf: numberId, carryOut: putNumber, report: reportPut },
  'POST /numbers/update': { idOf: numberId, carryOut: putNumber, report: reportPut },
  'POST /numbers/unassign': { idOf: numberId, carryOut: unassignNumber },
  'POST /numbers/release': { idOf: numberId, carryOut: releaseNumber },
  'POST /consents/relationships': { idOf: consentId, carryOut: putRelationship },
}

/** The numbers of a request that are there, in its order. */
function numbersAsked({ records }, { tenantId: tenant, telephoneNumbers }) {
  if (!Array.isArray(telephoneNumbers)) throw badRequest('telephoneNumbers is missing: it is an array.')
  return telephoneNumbers.flatMap(
    (telephoneNumber) => numberOf(records.get(numberId({ telephoneNumber })), tenant) ?? [],
  )
}

/** Operations that only read. */
const READS = {
  'POST /numbers/get': (state, body) => ({
    numbers: numbersAsked(state, body).map((number) => reportNumber(state, number)),
  }),
  'POST /numbers/capabilities': (state, body) => ({
    numbers: numbersAsked(state, body).map((number) => ({
      telephoneNumber: number.telephoneNumber,
      availableCapabilities: isTeams(state) ? capabilitiesOf(state, number) : [],
    })),
  }),
  'GET /consents': ({ world, records }, query) => ({
    consents: world.consents
      .filter((consent) => !query.has('tenantId') || sameText(consent.tenantId, query.get('tenantId')))
      .map((consent) => ({ ...consent, ...relationshipOf(records.get(consentId(consent))) })),
  }),
  'GET /civic-addresses': ({ world }, query) => {
    const tenant = query.get('tenantId')
    const own = Object.entries(world.civicAddresses).find(([name]) => sameText(name, tenant))
    return {
      civicAddresses: (own?.[1] ?? world.defaultCivicAddresses ?? [])
        .filter((address) => !query.has('id') || address.id === query.get('id'))
        .map((address) => ({ tenantId: tenant, ...address })),
    }
  },
  'GET /capability-plans': ({ world, service }) => ({ capabilityPlans: world.capabilityPlans[service] ?? [] }),
}

const relationshipOf = (record) => record?.relationship && { relationship: record.relationship }

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9090' },
      host: { type: 'string', default: '127.0.0.1' },
      service: { type: 'string', default: 'oc' },
      world: { type: 'string' },
      header: { type: 'string' },
      state: { type: 'string' },
    },
  })
  const [name, ...value] = values.header?.split(':') ?? []
  const server = await createBackendServer({
    service: values.service,
    world: readWorld(values.world),
    header: name && { name: name.trim(), value: value.join(':').trim() },
    stateFile: values.state,
  })
  server.listen(Number(values.port), values.host, () => {
    console.log(`Backend server of ${values.service} on http://${values.host}:${server.address().port}`)
  })
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      server.close()
      server.closeAllConnections()
    })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
