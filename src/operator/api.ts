/** Puts the Operator API onto a server: admission before any body is read, repeats, lists, streams, and errors. */
import { Readable } from 'node:stream'
import type { Sealer } from '../auth/seal.js'
import type { Clock } from '../clock.js'
import { joinedTo, type Db } from '../db/db.js'
import { DomainError } from '../errors.js'
import { createMatcher, type Matcher } from '../http/match-path.js'
import { carryOutOnce, everyTime, type Carrying } from '../http/repeatable/once.js'
import type { Response } from '../http/repeatable/store.js'
import {
  allowLongBody,
  isForHosts,
  rawBody,
  rawTarget,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '../http/server.js'
import { newId } from '../ids.js'
import type { Logger } from '../log.js'
import { checkRole, type Authenticate } from './admit.js'
import { BASE_PATH, isRepeatable, type OperationContract } from './contract/operation.js'
import { problemOf } from './wire/errors.js'
import { KEY_HEADER, onceRequest, readKey } from './wire/idempotency.js'
import { noBody, readJsonBody, readQuery } from './wire/input.js'
import { formatOf, listText, MEDIA_TYPES, pageBody, type ListResult } from './wire/list.js'
import { isList, type Context, type Handler, type OperatorPrincipal, type Result, type Route } from './wire/route.js'

export interface OperatorApiDeps {
  db: Db
  /** The real time: repeats are remembered by it. */
  realClock: Clock
  logger: Logger
  sealer: Sealer
  authenticate: Authenticate
  /** Host names that this API answers to; empty for all. */
  hosts: readonly string[]
}

/** Whether a target is of this API, whatever else is wrong with it. */
export const isOperatorPath = (target: string): boolean => /^\/+operator(\/|$)/i.test(target.split('?', 1)[0] ?? '')

/** What a request turned out to be, before its body is read. */
interface Admitted {
  contract: OperationContract
  handle: Handler
  params: Readonly<Record<string, string>>
  who: OperatorPrincipal
}

/** Adds the API to `server`, a scope of its own. */
export function openOperatorApi(server: FastifyInstance, deps: OperatorApiDeps, routes: readonly Route[]): void {
  const match = createMatcher(routes, { under: BASE_PATH, pathOf: ([{ path }]) => path })
  const admitted = new WeakMap<FastifyRequest, Admitted>()
  const uploads = [...new Set(routes.flatMap(([{ upload = [] }]) => upload))]
  // A body of any length is left to its operation, which spools it.
  for (const type of uploads) server.addContentTypeParser(type, (_request, payload, done) => done(null, payload))
  server.setErrorHandler((error, request, reply) => answerError(deps, error, admitted.get(request), reply))
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', newId())
    if (request.protocol === 'https') reply.header('Strict-Transport-Security', 'max-age=31536000; includeSubDomains')
    if (!isForHosts(request, deps.hosts)) throw nothingAt(pathOf(request))
    const found = await admit(deps, match, request)
    if (found.contract.upload) {
      checkUpload(found.contract.upload, request)
      allowLongBody(request)
    }
    admitted.set(request, found)
  })
  addRequestLog(server, deps.logger, admitted)
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const found = admitted.get(request)
    if (found === undefined) throw nothingAt(pathOf(request))
    return answer(deps, found, request, reply)
  }
  for (const url of [BASE_PATH, `${BASE_PATH}/*`]) server.route({ method: server.supportedMethods, url, handler })
}

/** Throws 'not-found' and 'method-not-allowed' only to those who may ask at all. */
async function admit(
  { authenticate }: OperatorApiDeps,
  match: Matcher<Route>,
  request: FastifyRequest,
): Promise<Admitted> {
  const who = await authenticate(request)
  const path = pathOf(request)
  const found = match(path)
  if (found === undefined) throw nothingAt(path)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = found.routes.find(([contract]) => contract.method === method)
  if (route === undefined) {
    const allow = found.routes.map(([contract]) => contract.method)
    throw new DomainError(
      'method-not-allowed',
      `This path does not take ${request.method}; it takes ${allow.join(', ')}.`,
      {
        allow,
      },
    )
  }
  const [contract, handle] = route
  checkRole(who, contract.role)
  return { contract, handle, params: found.params, who }
}

const pathOf = (request: FastifyRequest): string =>
  (rawTarget(request).split('?', 1)[0] ?? '').replace(/^https?:\/\/[^/]*/i, '')

const nothingAt = (path: string): DomainError =>
  new DomainError('not-found', `There is nothing at ${path.slice(0, 200)}. openapi/operator.json lists every path.`)

async function answer(
  deps: OperatorApiDeps,
  { contract, handle, params, who }: Admitted,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const query = readQuery(contract.query, request.query as never)
  const body = bodyOf(contract, request)
  const key = isRepeatable(contract) ? readKey(request.headers[KEY_HEADER.toLowerCase()]) : undefined
  if (contract.list) {
    const result = await handle({ who, params, query, body, request, commit: onlyReads })
    if (!isList(result)) throw new Error(`${contract.operationId} is a list and returned none.`)
    return sendList(reply, request, result, query, { operation: contract.operationId, params })
  }
  if (contract.download) {
    const { headers = {}, text = [] } = (await handle({
      who,
      params,
      query,
      body,
      request,
      commit: onlyReads,
    })) as Result
    const sent = { 'Cache-Control': 'no-cache', 'Content-Type': contract.download, ...headers }
    return reply.code(200).headers(sent).send(Readable.from(text))
  }
  const execute = async (carrying: Carrying): Promise<Response> => {
    const commit: Context['commit'] = async (work, after) => {
      let result: Result = {}
      await carrying.commit(async (open) => {
        result = await work(joinedTo(open, deps.db))
        return responseOf(contract, result)
      })
      await after?.()
      return result
    }
    try {
      return responseOf(contract, (await handle({ who, params, query, body, request, commit })) as Result)
    } catch (error) {
      // A refusal is the response to its repeats too; a fault of ours is not remembered.
      if (!(error instanceof DomainError) || key === undefined) throw error
      const { status, headers, body: problem } = problemOf(error, contract)
      return { status, headers, body: JSON.stringify(problem) }
    }
  }
  if (key === undefined || contract.upload) return send(reply, contract, await execute(everyTime(deps.db)))
  const { callerId } = who
  const sealer = contract.showsSecret ? deps.sealer : undefined
  const now = deps.realClock.now()
  const target = rawTarget(request)
  const once = onceRequest({ callerId, key, method: request.method, target, body: rawBody(request), now, sealer })
  return send(reply, contract, await carryOutOnce(deps.db, once, execute))
}

const onlyReads: Context['commit'] = () => Promise.reject(new Error('An operation that only reads tried to write.'))

function bodyOf({ body, bodyOptional, upload }: OperationContract, request: FastifyRequest): never {
  const { 'content-type': contentType } = request.headers
  if (upload) return undefined as never
  if (request.body instanceof Readable) {
    throw new DomainError('unsupported-media-type', `The body must be application/json, not ${contentType ?? ''}.`)
  }
  if (body === undefined) return noBody(rawBody(request)) as never
  return readJsonBody(body, rawBody(request), { contentType, optional: bodyOptional === true }) as never
}

/** Before its body is read, which is not bounded as others are. Throws 'unsupported-media-type'. */
function checkUpload(types: readonly string[], { headers }: FastifyRequest): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!types.includes(type)) {
    const found = type === '' ? 'the request does not say of which type it is' : `it is ${type}`
    throw new DomainError('unsupported-media-type', `The body must be ${types.join(' or ')}; ${found}.`)
  }
}

function responseOf({ success }: OperationContract, { status = success.status, headers = {}, body }: Result): Response {
  return { status, headers, body: body === undefined ? null : JSON.stringify(body) }
}

function send(
  reply: FastifyReply,
  { showsSecret }: OperationContract,
  { status, headers, body }: Response,
): FastifyReply {
  reply.code(status).header('Cache-Control', showsSecret ? 'no-store' : 'no-cache')
  if (body !== null) reply.header('Content-Type', 'application/json; charset=utf-8')
  // As bytes: to a text the server would add a charset of its own.
  return reply.headers(headers).send(body === null ? undefined : Buffer.from(body))
}

async function sendList(
  reply: FastifyReply,
  request: FastifyRequest,
  result: ListResult,
  query: Record<string, unknown>,
  list: object,
): Promise<FastifyReply> {
  const format = formatOf(request.headers.accept)
  const { limit, cursor, count, ...filters } = query
  const page = { limit, cursor, count } as Parameters<typeof pageBody>[1]
  const sent =
    format === 'json'
      ? JSON.stringify(await pageBody(result, page, { list, filters }))
      : await begun(listText(result, format))
  const headers = { 'Cache-Control': 'no-cache', 'Content-Type': MEDIA_TYPES[format], Vary: 'Accept' }
  return reply.code(200).headers(headers).send(sent)
}

/** A text whose first piece is there, so that a refusal comes before the response begins. */
async function begun(text: AsyncGenerator<string>): Promise<Readable> {
  const first = await text.next()
  return Readable.from(
    (async function* () {
      if (first.done !== true) yield first.value
      yield* text
    })(),
  )
}

function addRequestLog(server: FastifyInstance, logger: Logger, admitted: WeakMap<FastifyRequest, Admitted>): void {
  if (!logger.isLevelEnabled('info')) return
  server.addHook('onResponse', (request, reply, done) => {
    const { contract, who } = admitted.get(request) ?? {}
    logger.info(
      {
        operation: contract?.operationId,
        actor: who?.actor,
        method: request.method,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        id: reply.getHeader('x-request-id'),
      },
      'answered',
    )
    done()
  })
}

function answerError(
  { logger }: OperatorApiDeps,
  error: unknown,
  found: Admitted | undefined,
  reply: FastifyReply,
): FastifyReply {
  const { status, headers, body } = problemOf(error, found?.contract)
  if (status >= 500 && status !== 502) {
    logger.error(
      { err: error, operation: found?.contract.operationId, id: reply.getHeader('x-request-id') },
      'request failed',
    )
  }
  return reply
    .code(status)
    .headers(headers)
    .send(Buffer.from(JSON.stringify(body)))
}
