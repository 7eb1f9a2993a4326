/** Requests signed by hand, for what the official clients neither send nor show. */
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Linebook } from '../fixtures/linebook-process.js'
import { accessKeyOf } from './clients.js'

export const API_VERSION = '2025-06-01'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The body, parsed. */
  body: unknown
}

export interface RequestOptions {
  method?: string
  /** Sent as JSON. */
  body?: unknown
  /** Set last: they replace what signing sets. */
  headers?: Record<string, string>
  /** base64; the emulator resource's unless given. null: the request is not signed. */
  accessKey?: string | null
  scheme?: 'http' | 'https'
  /** As the x-ms-date header has it; now unless given. */
  date?: string
}

/** @param target path with query, sent exactly so; `api-version` is added unless the query has it */
export function signedFetch(linebook: Linebook, target: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', body, headers = {}, scheme = 'http', date = new Date().toUTCString() } = options
  const { accessKey = accessKeyOf(linebook.connectionString(scheme)) } = options
  const versioned = target.includes('api-version=')
    ? target
    : `${target}${target.includes('?') ? '&' : '?'}api-version=${API_VERSION}`
  const { hostname, port, host } = new URL(scheme === 'http' ? linebook.httpUrl : linebook.httpsUrl)
  const content = body === undefined ? '' : JSON.stringify(body)
  const all = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(accessKey !== null &&
      signature(accessKey, { method, target: versioned, host: headers.host ?? host, content, date })),
    ...headers,
  }
  const where = { method, hostname, port, path: versioned, headers: all }

  return new Promise((resolve, reject) => {
    const request =
      scheme === 'http'
        ? httpRequest(where)
        : // The global agent may trust another server's certificate, for the first release of the official client.
          httpsRequest({ ...where, agent: false, ca: readFileSync(linebook.certFile) })
    request.once('error', reject)
    request.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.once('error', reject)
      response.once('end', () => {
        const { statusCode = 0, headers: answered } = response
        const isJson = /json/.test(answered['content-type'] ?? '')
        resolve({ status: statusCode, headers: answered, text, body: isJson ? JSON.parse(text) : undefined })
      })
    })
    request.end(content)
  })
}

interface Signable {
  method: string
  target: string
  host: string
  content: string
  date: string
}

/** The access-key scheme: HMAC-SHA256 over method, target, date, host and hash of the body. */
export function signature(
  accessKey: string,
  { method, target, host, content, date }: Signable,
): Record<string, string> {
  const hash = createHash('sha256').update(content).digest('base64')
  const signed = createHmac('sha256', Buffer.from(accessKey, 'base64'))
    .update(`${method}\n${target}\n${date};${host};${hash}`)
    .digest('base64')
  return {
    'x-ms-date': date,
    'x-ms-content-sha256': hash,
    authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signed}`,
  }
}
