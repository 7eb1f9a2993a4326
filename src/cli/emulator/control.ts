/** How commands ask an emulator: the routes under `/_emulator`, as an administrator. */
import type { Command } from 'commander'
import { SetupError } from '../../errors.js'
import { NoResponse } from '../../outbound.js'
import { connectToEmulator } from '../client/connect.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'

export interface Control {
  method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  /** Behind `/_emulator`, parts encoded. */
  path: string
  body?: object
}

/** What commands add to their help about it. */
export const WHICH_EMULATOR = `
It asks the emulator that runs on the data folder, or else the one at http://127.0.0.1:8080; with --url any. It asks as
linebook-admin with the well-known secret, unless a token is given in LINEBOOK_TOKEN or with --token-file, or a client in
LINEBOOK_CLIENT_ID and LINEBOOK_CLIENT_SECRET.`

/** Asks, and prints the result: as JSON where that is wanted, else as `tell` puts it. Throws a SetupError. */
export async function askEmulator(
  io: Io,
  command: Command,
  { method, path, body }: Control,
  tell: (body: never) => string,
): Promise<void> {
  try {
    await perform(
      io,
      command,
      async (client) => {
        const json = await client.request(method, `/_emulator${path}`, { ...(body && { body }) })
        return { json, text: tell(json as never) }
      },
      connectToEmulator,
    )
  } catch (error) {
    const isAbsent =
      error instanceof SetupError && error.cause instanceof NoResponse && error.cause.code === 'ECONNREFUSED'
    if (!isAbsent) throw error
    throw new SetupError(`${error.message} Start one with "linebook serve", or say where it is with --url.`, {
      cause: error,
    })
  }
}
