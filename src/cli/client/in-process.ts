/** The APIs in this process, over the configured database. */
import type { InProcess } from '../../compose/in-process.js'
import { SetupError } from '../../errors.js'
import type { Transport } from './transport.js'

/** @param source the database, for people */
export const inProcess = (apis: InProcess, source: string): Transport => ({
  source,
  origin: undefined,
  send: async ({ method, target, headers, json, upload }) => {
    const response = await apis.server.inject({
      method,
      url: target,
      headers,
      ...((json ?? upload) && { payload: json ?? upload }),
      payloadAsStream: true,
    })
    return { status: response.statusCode, body: readable(response.stream()) }
  },
  runJobs: () => apis.runJobs(),
  close: () => apis.close(),
})

async function* readable(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    throw new SetupError('Reading was broken off: the database failed in the middle of it.', { cause: error })
  }
}
