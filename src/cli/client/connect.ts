/**
 * Where commands are carried out: by the server that `--url` names, by the one that runs on the data folder, whose
 * embedded database is its alone, or in this process on the configured database.
 */
import { Option, type Command } from 'commander'
import { clientVariables, readSetting } from '../../config/config.js'
import { DataDirInUse, findRunning } from '../../db/data-dir-lock.js'
import { SetupError } from '../../errors.js'
import { EMULATOR_CLIENT_SECRET } from '../../issuer/clients.js'
import type { Io } from '../io.js'
import { clientOver, type Client } from './client.js'
import { inProcess } from './in-process.js'
import { originOf, overHttp, readToken, type Credentials } from './over-http.js'
import { addSettings, configOf, flagsOf, STORE_SETTINGS } from './settings.js'
import type { Transport } from './transport.js'

/** What commands add to their help about it. */
export const WHERE_IT_IS_DONE = `
With --url (or ${clientVariables.url}) it asks that server, with the access token in ${clientVariables.token} or --token-file, or as
the client in ${clientVariables.clientId} and ${clientVariables.clientSecret}. Without, it works on the configured database; where that is
embedded and a server runs on it, it asks that server.`

const addServerOptions = (command: Command): Command =>
  command
    .addOption(new Option('--url <URL>', `ask the server at this address (${clientVariables.url})`))
    .addOption(new Option('--token-file <FILE>', `file with an access token for it (or ${clientVariables.token})`))
    .addOption(new Option('--json', 'print the result as JSON'))

/** @param more settings beside those of the store that the command reads */
export const addClientOptions = (command: Command, more: Parameters<typeof addSettings>[1] = []): Command =>
  addSettings(addServerOptions(command), [...STORE_SETTINGS, ...more])

/** Of commands that only a running emulator can carry out. */
export const addEmulatorOptions = (command: Command): Command => addSettings(addServerOptions(command), ['dataDir'])

interface ServerOptions {
  url?: string
  tokenFile?: string
}

/** Throws SetupErrors. */
export async function connect(io: Io, command: Command): Promise<Client> {
  return clientOver(await transportFor(io, command))
}

async function transportFor(io: Io, command: Command): Promise<Transport> {
  const { url, tokenFile } = command.opts<ServerOptions>()
  const flags = flagsOf(command)
  // A flag wins over the environment, also where the one names a database and the other a server.
  const namesDatabase = flags.databaseUrl !== undefined || flags.dataDir !== undefined
  const named = url ?? (namesDatabase ? undefined : io.env[clientVariables.url] || undefined)
  if (named !== undefined) {
    const origin = originOf(named)
    return overHttp(origin, await credentialsFor(origin, tokenFile, io.env))
  }
  const config = configOf(command, io.env)
  const running = config.databaseUrl === undefined ? await findRunning(config.dataDir) : undefined
  if (running !== undefined) return overHttp(running, await credentialsFor(running, tokenFile, io.env, 'well-known'))
  if (tokenFile !== undefined) throw new SetupError('--token-file: it goes with --url; a database asks for no token.')
  try {
    const apis = await io.openInProcess(config, io.user)
    return inProcess(apis, config.databaseUrl === undefined ? `the database in ${config.dataDir}` : 'the database')
  } catch (error) {
    if (!(error instanceof DataDirInUse)) throw error
    throw new SetupError(`${error.message} Or ask that one, at its address: --url http://127.0.0.1:8080.`, {
      cause: error,
    })
  }
}

const USUAL_URL = 'http://127.0.0.1:8080'
const EMULATOR_ADMIN = 'linebook-admin'

/** The emulator that runs on the data folder, or else the one at the usual address. Throws SetupErrors. */
export async function connectToEmulator(io: Io, command: Command): Promise<Client> {
  const { url = io.env[clientVariables.url] || undefined, tokenFile } = command.opts<ServerOptions>()
  const origin = originOf(url ?? (await findRunning(configOf(command, io.env).dataDir)) ?? USUAL_URL)
  return clientOver(overHttp(origin, await credentialsFor(origin, tokenFile, io.env, 'well-known')))
}

/** @param fallback who asks where nothing is given: the administrator that every emulator knows */
async function credentialsFor(
  origin: string,
  tokenFile: string | undefined,
  env: NodeJS.ProcessEnv,
  fallback?: 'well-known',
): Promise<Credentials> {
  const token = await readToken(tokenFile, env)
  if (token !== undefined) return { token }
  const { clientId: idVariable, clientSecret: secretVariable } = clientVariables
  const [clientId, clientSecret] = [env[idVariable] || undefined, env[secretVariable] || undefined]
  if ((clientId === undefined) !== (clientSecret === undefined)) {
    throw new SetupError(
      `${clientId === undefined ? idVariable : secretVariable}: ${idVariable} and ${secretVariable} come together.`,
    )
  }
  const [audience = ''] = readSetting('tokenAudiences', env)
  const forTokens = { tenant: readSetting('issuerTenant', env), audience }
  if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret, ...forTokens }
  if (fallback) return { clientId: EMULATOR_ADMIN, clientSecret: EMULATOR_CLIENT_SECRET, ...forTokens }
  throw new SetupError(
    `${origin} needs to know who asks: give an access token in ${clientVariables.token} or with --token-file, or a ` +
      `client of its built-in issuer in ${idVariable} and ${secretVariable}.`,
  )
}
