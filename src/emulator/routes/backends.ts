/**
 * The routes under `/_emulator/backends`, by which people and tests inspect the simulated backends of an emulator,
 * change their world and make them misbehave. docs/emulator-backends.md describes them.
 */
import { wireConsent, wireNumber } from '../../backends/http/wire.js'
import type { Backends } from '../../backends/port/backend.js'
import { serviceCodes } from '../../backends/port/backend.js'
import type { SimulatedControl } from '../../backends/simulated/control.js'
import { isMisbehaviourName, misbehaviourNames } from '../../backends/simulated/misbehaviour.js'
import { isSimulated } from '../../backends/simulated/simulated.js'
import { invalidInput, notFound } from '../../errors.js'
import type { FastifyInstance, FastifyRequest } from '../../http/server.js'
import { CivicAddresses, CapabilityPlans, ConsentToPut, Drift, Settings, misbehaviourBodies } from './bodies.js'
import { readBody, readPage } from './input.js'
import { addControl, type ControlDeps, type ControlRoute, type Method, type Params } from './routes.js'

export interface BackendControlDeps extends ControlDeps {
  backends: Backends
}

export const CONTROL_PREFIX = '/_emulator/backends'

type Handle = (control: SimulatedControl, request: FastifyRequest, params: Params) => unknown

/** Each route's method, path under a service, and handler; a result of undefined is a 204. */
const routes: readonly (readonly [method: Method, path: string, handle: Handle])[] = [
  ['GET', '', showState],
  ['GET', '/settings', (control) => control.settings()],
  ['PATCH', '/settings', changeSettings],
  ['GET', '/misbehaviours', async (control) => ({ misbehaviours: await control.misbehaviours() })],
  ['DELETE', '/misbehaviours', (control) => control.behave()],
  ['PUT', '/misbehaviours/{name}', putMisbehaviour],
  ['DELETE', '/misbehaviours/{name}', (control, _request, { name }) => control.behave(misbehaviourName(name))],
  ['POST', '/drift', drift],
  ['GET', '/numbers', listNumbers],
  ['GET', '/tenants', async (control, { query }) => control.tenants(readPage(query))],
  ['GET', '/consents', async (control) => ({ consents: (await control.consents()).map(wireConsent) })],
  ['PUT', '/consents/{tenantId}', putConsent],
  ['DELETE', '/consents/{tenantId}', (control, _request, { tenantId = '' }) => control.removeConsent(tenantId)],
  ['GET', '/civic-addresses/{tenantId}', showAddresses],
  ['PUT', '/civic-addresses/{tenantId}', putAddresses],
  [
    'DELETE',
    '/civic-addresses/{tenantId}',
    (control, _request, { tenantId = '' }) => control.putCivicAddresses(tenantId),
  ],
  ['GET', '/capability-plans/{tenantId}', showPlans],
  ['PUT', '/capability-plans/{tenantId}', putPlans],
  [
    'DELETE',
    '/capability-plans/{tenantId}',
    (control, _request, { tenantId = '' }) => control.putCapabilityPlans(tenantId),
  ],
  ['GET', '/calls', listCalls],
  ['DELETE', '/calls', (control) => control.clearCalls()],
  ['POST', '/reset', (control) => control.reset()],
]

/** Adds the routes to `server`, with their own errors. */
export function openBackendControl(server: FastifyInstance, deps: BackendControlDeps): void {
  const ofService = routes.map(([method, path, handle]): ControlRoute => [
    method,
    `/{service}${path}`,
    (request, params) => handle(controlOf(deps, params['service'] ?? ''), request, params),
  ])
  addControl(server, deps, CONTROL_PREFIX, [
    ['GET', '/', () => ({ backends: Object.fromEntries(serviceCodes.map((code) => [code, nameOf(deps, code)])) })],
    ...ofService,
  ])
}

const nameOf = ({ backends }: BackendControlDeps, code: (typeof serviceCodes)[number]) => backends[code]?.name ?? 'none'

function controlOf(deps: BackendControlDeps, service: string): SimulatedControl {
  const code = serviceCodes.find((one) => one === service.toLowerCase())
  const backend = code && deps.backends[code]
  if (isSimulated(backend)) return backend.control
  const simulated = serviceCodes.filter((one) => nameOf(deps, one) === 'simulated')
  throw notFound(
    code === undefined
      ? `${service} is no service; those are ${serviceCodes.join(', ')}.`
      : `The backend of ${code} is ${nameOf(deps, code)}, not simulated. Simulated are: ${simulated.join(', ') || 'none'}.`,
  )
}

async function showState(control: SimulatedControl): Promise<object> {
  const first = { limit: STATE_PAGE }
  const [settings, misbehaviours, numbers, tenants, consents] = await Promise.all([
    control.settings(),
    control.misbehaviours(),
    control.numbers(first),
    control.tenants(first),
    control.consents(),
  ])
  return {
    service: control.service,
    settings,
    misbehaviours,
    numbers: numbers.numbers.map(wireNumber),
    tenants: tenants.tenants,
    consents: consents.map(wireConsent),
  }
}
/** More of them are read page by page, at their own paths. */
const STATE_PAGE = 100

async function changeSettings(control: SimulatedControl, request: FastifyRequest): Promise<object> {
  await control.changeSettings(readBody(Settings, request))
  return control.settings()
}

const misbehaviourName = (name = '') => {
  if (isMisbehaviourName(name)) return name
  throw notFound(`${name} is no misbehaviour; those are ${misbehaviourNames.join(', ')}.`)
}

async function putMisbehaviour(control: SimulatedControl, request: FastifyRequest, params: Params): Promise<object> {
  const name = misbehaviourName(params['name'])
  await control.misbehave(name, readBody(misbehaviourBodies[name], request))
  return { misbehaviours: await control.misbehaviours() }
}

async function drift(control: SimulatedControl, request: FastifyRequest): Promise<object> {
  const { effect, telephoneNumbers } = readBody(Drift, request)
  return { telephoneNumbers: await control.drift(effect, telephoneNumbers) }
}

async function listNumbers(control: SimulatedControl, { query }: FastifyRequest): Promise<object> {
  const { numbers, ...rest } = await control.numbers(readPage(query))
  return { numbers: numbers.map(wireNumber), ...rest }
}

async function listCalls(control: SimulatedControl, { query }: FastifyRequest): Promise<object> {
  const { after = '0', limit } = readPage(query)
  if (!/^\d{1,15}$/.test(after)) throw invalidInput('after must be the id of a call, e.g. 120.', 'after')
  return { calls: await control.calls({ after: Number(after), limit }) }
}

async function putConsent(
  control: SimulatedControl,
  request: FastifyRequest,
  { tenantId = '' }: Params,
): Promise<object> {
  await control.putConsent({ ...readBody(ConsentToPut, request), tenantId })
  return { consents: (await control.consents()).map(wireConsent) }
}

async function showAddresses(control: SimulatedControl, _request: FastifyRequest, { tenantId = '' }: Params) {
  return { civicAddresses: await control.civicAddresses(tenantId) }
}

async function putAddresses(control: SimulatedControl, request: FastifyRequest, params: Params) {
  await control.putCivicAddresses(params['tenantId'] ?? '', readBody(CivicAddresses, request).civicAddresses)
  return showAddresses(control, request, params)
}

async function showPlans(control: SimulatedControl, _request: FastifyRequest, { tenantId = '' }: Params) {
  return { capabilityPlans: await control.capabilityPlans(tenantId) }
}

async function putPlans(control: SimulatedControl, request: FastifyRequest, params: Params) {
  await control.putCapabilityPlans(params['tenantId'] ?? '', readBody(CapabilityPlans, request).capabilityPlans)
  return showPlans(control, request, params)
}
