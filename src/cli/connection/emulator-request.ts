/** How commands ask an emulator: the routes under `/_emulator`, as an administrator. */
import { Option, type Command } from 'commander'
import { findRunning } from '../../db/running-server.js'
import { SetupError } from '../../errors.js'
import { EMULATOR_CLIENT_SECRET } from '../../issuer/clients.js'
import { errorOf, originOf, request, EMULATOR_ADMIN, type Answer } from './server-answers.js'
import { addSettings, configOf, print } from './settings.js'

const USUAL_URL = 'http://127.0.0.1:8080'
const MAX_SHOWN_CHARS = 300

export interface Asked {
  method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  /** Behind `/_emulator`, parts encoded. */
  path: string
  body?: object
}

/** What commands add to their help about it. */
export const WHICH_EMULATOR = `
It asks the emulator that runs on the data folder, or else the one at ${USUAL_URL}; with --url any.`

export const addEmulatorOptions = (command: Command): Command =>
  addSettings(
    command
      .addOption(new Option('--url <URL>', 'the address of the emulator'))
      .addOption(new Option('--client-id <NAME>', 'a client that is an administrator').default(EMULATOR_ADMIN))
      .addOption(
        new Option('--client-secret <SECRET>', 'its secret').default(EMULATOR_CLIENT_SECRET, 'the well-known one'),
      )
      .addOption(new Option('--json', 'print the answer as JSON')),
    ['dataDir'],
  )

/** Asks, and prints the answer: as JSON where that is wanted, else as `tell` puts it. Throws a SetupError. */
export async function askEmulator(command: Command, asked: Asked, tell: (body: never) => string): Promise<void> {
  const { json, ...options } = command.opts<Options>()
  const origin = originOf(options.url ?? (await findRunning(configOf(command).dataDir)) ?? USUAL_URL)
  const body = bodyOf(origin, await send(origin, options, asked))
  if (json) print(JSON.stringify(body ?? {}, undefined, 2))
  else print(tell(body as never))
}

/** Asks the emulator at an address as its well-known administrator. Throws a SetupError. */
export async function requestEmulator(url: string, asked: Asked): Promise<unknown> {
  const origin = originOf(url)
  const who = { clientId: EMULATOR_ADMIN, clientSecret: EMULATOR_CLIENT_SECRET }
  return bodyOf(origin, await send(origin, who, asked))
}

interface Options {
  url?: string
  clientId: string
  clientSecret: string
  json?: true
}

async function send(
  origin: string,
  { clientId, clientSecret }: Options,
  { method, path, body }: Asked,
): Promise<Answer> {
  // Form-encoded first, as OAuth has it: either may have a colon or a plus sign in it.
  const credentials = [clientId, clientSecret].map(encodeURIComponent).join(':')
  try {
    return await request(`${origin}/_emulator${path}`, {
      method,
      headers: {
        Accept: 'application/json',
        Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  } catch (error) {
    if (!(error instanceof SetupError) || !/ECONNREFUSED/.test(error.message)) throw error
    throw new SetupError(`${error.message} Start one with "linebook serve", or say where it is with --url.`, {
      cause: error,
    })
  }
}

function bodyOf(origin: string, { status, text }: Answer): unknown {
  if (status >= 200 && status < 300) return text === '' ? undefined : (JSON.parse(text) as unknown)
  const error = errorOf(text)
  // What a server without these routes answers has other codes, or none.
  if ((status === 404 && error?.code !== 'NotFound') || (status === 401 && error?.code !== 'Unauthorized')) {
    throw new SetupError(`${origin} is no emulator: a Linebook in production mode has no test controls.`)
  }
  const hint = status === 401 || status === 403 ? ' Give such a client with --client-id and --client-secret.' : ''
  throw new SetupError(
    error ? `${told(error)}${hint}` : `${origin} answered ${status}. ${text.slice(0, MAX_SHOWN_CHARS)}`,
  )
}

/** Where several things were wrong, each of them. */
const told = ({ message, details }: { message: string; details: string[] }): string =>
  details.length > 0 ? details.join(' ') : message
