/**
 * Admits requests. Before an operation runs, every request is checked in this order: authentication, throttle,
 * api-version, media type and JSON, country, query, body.
 */
import type { Static, TObject, TSchema } from 'typebox'
import type { SignedRequest } from '../auth/access-key.js'
import { authenticate, type AuthDeps, type Principal } from '../auth/authenticate.js'
import { requestMark } from '../auth/request-mark.js'
import { DomainError, invalidInput } from '../errors.js'
import { policies } from '../http/body-policies.js'
import { dotted, reader, type Reader } from '../http/body-reader.js'
import { pickQuery, type QueryParameters } from '../http/query.js'
import { rawBody, rawTarget, type FastifyReply, type FastifyRequest } from '../http/server.js'
import type { OperationContract } from './contract/operation.js'
import { readVersion, type RequestVersion, type VersionPolicy } from './contract/versions.js'
import type { Catalogue } from './model/catalogue.js'
import type { Throttle } from './throttle.js'

export interface AdmitDeps {
  auth: AuthDeps
  catalogue: Catalogue
  versionPolicy: VersionPolicy
  throttle: Throttle
}

/** A request that has passed all checks, with its parsed parts. */
export interface Admitted<Query extends TObject = TObject, Body extends TSchema | undefined = TSchema | undefined> {
  principal: Principal
  /** Recognises the very same request sent again; for operations that change something, see `auth/request-mark.ts`. */
  requestMark: Buffer | null
  version: RequestVersion
  /** Path parameters, decoded; `countryCode` is one of the catalogue's. */
  params: Record<string, string>
  query: Static<Query>
  body: Body extends TSchema ? Static<Body> : undefined
}

export type Admit<Query extends TObject, Body extends TSchema | undefined> = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<Admitted<Query, Body>>

/** Makes the checks of one operation. They throw DomainErrors and set the headers of all its responses. */
export function admission<Query extends TObject, Body extends TSchema | undefined>(
  deps: AdmitDeps,
  contract: OperationContract<Query, Body>,
): Admit<Query, Body> {
  const readQuery = reader(contract.query, policies.phoneNumbersQuery)
  const queryNames = Object.keys(contract.query.properties)
  const readBody = contract.body === undefined ? undefined : reader<TSchema>(contract.body, policies.phoneNumbers)
  const supported = contract.versions.join(', ')
  const isRead = contract.method === 'GET'

  return async (request, reply) => {
    reply.header('api-supported-versions', supported)
    const principal = await authenticateRequest(deps, request)
    deps.throttle.count(principal.resourceId, contract.operationId)
    const query = request.query as QueryParameters
    const version = readVersion(
      query.get('api-version') ?? [],
      contract.versions,
      requestUri(request),
      deps.versionPolicy,
    )
    if (version.warning !== undefined) reply.header('Warning', `299 - "${version.warning}"`)
    const content = readBody && (contract.bodyOptional && rawBody(request).length === 0 ? {} : parseJson(request))
    return {
      principal,
      requestMark: isRead
        ? null
        : requestMark(principal.evidence, asSent(request), headerText(request, 'x-ms-client-request-id')),
      version,
      params: readParams(deps.catalogue, request.params as Record<string, string>),
      query: read(readQuery, pickQuery(query, queryNames)),
      body: (readBody && read(readBody, content)) as Admitted<Query, Body>['body'],
    }
  }
}

/** Throws 'invalid-input' with the path of the first fault as target. */
function read<Value>(reader: Reader<Value>, given: unknown): Value {
  const { value, faults } = reader(given)
  const [fault] = faults
  if (fault === undefined) return value
  throw invalidInput(fault.detail, dotted(fault.path).toLowerCase() || undefined)
}

/** Authenticates a request. Throws 'unauthenticated' and 'access-not-granted'. */
export const authenticateRequest = ({ auth }: Pick<AdmitDeps, 'auth'>, request: FastifyRequest): Promise<Principal> =>
  authenticate(auth, asSent(request))

const asSent = (request: FastifyRequest): SignedRequest => ({
  method: request.method,
  target: rawTarget(request),
  headers: request.headers,
  body: rawBody(request),
})

const headerText = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

const JSON_MEDIA_TYPE = /^application\/([a-z0-9.-]+\+)?json\s*(;|$)/i

function parseJson(request: FastifyRequest): unknown {
  const body = rawBody(request)
  if (body.length === 0) throw invalidInput('A JSON object is required as the body.')
  const mediaType = headerText(request, 'content-type')
  if (mediaType && !JSON_MEDIA_TYPE.test(mediaType.trim())) {
    throw new DomainError(
      'unsupported-media-type',
      `The body must be application/json, not ${mediaType.slice(0, 100)}.`,
      { target: 'content-type' },
    )
  }
  try {
    return JSON.parse(UTF8.decode(body)) as unknown
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 200) : ''
    throw new DomainError('invalid-input', `The body is not valid JSON: ${reason}`, { cause: error })
  }
}
const UTF8 = new TextDecoder('utf-8', { fatal: true })

function readParams(catalogue: Catalogue, params: Record<string, string>): Record<string, string> {
  const { countryCode } = params
  if (countryCode === undefined) return params
  const known = countryCode.toUpperCase()
  if (!catalogue.countries.includes(known)) {
    throw new DomainError('country-not-served', 'Unable to parse country code.', { target: 'countrycode' })
  }
  return { ...params, countryCode: known }
}

const requestUri = (request: FastifyRequest): string =>
  `${request.protocol}://${headerText(request, 'host') ?? ''}${rawTarget(request).split('?')[0]}`
