/** The two ways to the APIs: over HTTP to a running server, or in this process. */
import type { Readable } from 'node:stream'

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query. */
  target: string
  headers: Readonly<Record<string, string>>
  json?: object
  /** A body of any length. */
  upload?: Readable
}

export interface ApiResponse {
  status: number
  body: AsyncIterable<Uint8Array>
}

export interface Transport {
  /** Who is asked, for people: an address, or a database. */
  source: string
  /** Where the server listens; undefined in process. */
  origin: string | undefined
  /** Throws a SetupError when there is no response. */
  send(request: ApiRequest): Promise<ApiResponse>
  /** Has jobs run until `close`. A server runs them by itself. */
  runJobs(): void
  close(): Promise<void>
}
