/** The client of the Operator API, the Provisioning API and the test controls that all commands use. */
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { BASE_PATH } from '../../operator/contract/operation.js'
import { jsonOf } from '../../outbound.js'
import { refused } from './refused.js'
import type { ApiRequest, ApiResponse, Transport } from './transport.js'

type Method = ApiRequest['method']
type Parameter = string | number | boolean | readonly string[] | undefined
export type Query = Readonly<Record<string, Parameter>>

export interface Client extends Pick<Transport, 'source' | 'origin' | 'runJobs' | 'close'> {
  /** The JSON of the response; undefined where it has no body. Throws a Refused. */
  request<T>(method: Method, path: string, options?: { body?: object; query?: Query }): Promise<T>
  /** The items of a list, however long. Throws a Refused. */
  list<T>(path: string, query?: Query): AsyncGenerator<T>
  /** A response as it comes. Throws a Refused. */
  download(path: string, query?: Query, accept?: string): AsyncGenerator<Uint8Array>
  /** Sends a file of any length. Throws a Refused. */
  upload<T>(path: string, body: Readable, options: { type: string; query?: Query }): Promise<T>
}

/** The path of an operation of the Operator API; what stands in it is encoded. */
export const operator = (texts: TemplateStringsArray, ...values: string[]): string =>
  BASE_PATH + String.raw({ raw: texts }, ...values.map(encodeURIComponent))

interface Sent {
  query?: Query
  /** What the response is to be. */
  accept?: string
  /** What the body is. */
  type?: string
}

export function clientOver(transport: Transport): Client {
  const open = async (
    method: Method,
    path: string,
    { query = {}, accept = 'application/json', ...sent }: Pick<ApiRequest, 'json' | 'upload'> & Sent,
  ): Promise<ApiResponse> => {
    const { json, type = json && 'application/json' } = sent
    const response = await transport.send({
      method,
      target: path + queryOf(query),
      headers: {
        Accept: accept,
        ...(type && { 'Content-Type': type }),
        // A response that is lost is asked for again, with the same key.
        ...((method === 'POST' || method === 'PATCH') && { 'Idempotency-Key': randomUUID() }),
      },
      ...(json && { json }),
      ...(sent.upload && { upload: sent.upload }),
    })
    if (response.status >= 200 && response.status < 300) return response
    throw refused(transport.source, path, response.status, await textOf(response))
  }
  async function* stream(path: string, query: Query, accept: string): AsyncGenerator<Uint8Array> {
    yield* (await open('GET', path, { query, accept })).body
  }
  return {
    source: transport.source,
    origin: transport.origin,
    runJobs: () => transport.runJobs(),
    close: () => transport.close(),
    request: async <T>(method: Method, path: string, { body, query = {} }: { body?: object; query?: Query } = {}) =>
      resultOf<T>(transport.source, path, await open(method, path, { ...(body && { json: body }), query })),
    list: async function* <T>(path: string, query: Query = {}) {
      for await (const line of linesOf(stream(path, query, 'application/x-ndjson'))) yield JSON.parse(line) as T
    },
    download: (path, query = {}, accept = '*/*') => stream(path, query, accept),
    upload: async <T>(path: string, upload: Readable, { type, query = {} }: { type: string; query?: Query }) =>
      resultOf<T>(transport.source, path, await open('POST', path, { upload, type, query })),
  }
}

function queryOf(query: Query): string {
  const parts = Object.entries(query).flatMap(([name, value]) => {
    const values = Array.isArray(value) ? (value as readonly string[]) : value === undefined ? [] : [value as string]
    return values.map((text) => `${name}=${encodeURIComponent(text)}`)
  })
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

async function resultOf<T>(source: string, path: string, response: ApiResponse): Promise<T> {
  const text = await textOf(response)
  const result = jsonOf(text)
  if (result === undefined && text !== '') throw refused(source, path, response.status, text)
  return result as T
}

async function textOf({ body }: ApiResponse): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
  if (rest.trim() !== '') yield rest
}
