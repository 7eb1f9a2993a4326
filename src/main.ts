/** Runs the service in this process: start, its message, signals, exit code. */
import { revealResource, EMULATOR_RESOURCE } from './auth/resources.js'
import { startService, type Service } from './compose/service.js'
import type { Config } from './config/config.js'
import { announce } from './db/data-dir-lock.js'
import { EMULATOR_CLIENT_SECRET } from './issuer/clients.js'

/** How long requests under way may take to end after the signal to stop. */
const DRAIN_LIMIT_MS = 15_000

/** Serves until SIGINT or SIGTERM, then drains; resolves with the exit code. Throws SetupErrors. */
export async function serve(config: Config, print: (text: string) => void): Promise<number> {
  const stopped = signalled()
  const service = await startService(config)
  // The embedded database belongs to this process alone: commands ask it there.
  const [listener] = service.listeners
  if (config.databaseUrl === undefined && listener) announce(config.dataDir, listener.url)
  print(await greeting(config, service))
  const signal = await stopped
  print(`\n${signal}: letting requests end …`)
  const drained = await Promise.race([service.close().then(() => true), expires(DRAIN_LIMIT_MS)])
  print(drained ? 'Stopped.' : `Stopped after ${DRAIN_LIMIT_MS / 1000} s with requests still open.`)
  return drained ? 0 : 1
}

const signalled = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      // The second signal is not caught any more: it ends the process at once.
      process.once(signal, () => resolve(signal))
    }
  })

const expires = (ms: number): Promise<false> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref()
  })

async function greeting(config: Config, { listeners, certFile, store }: Service): Promise<string> {
  const lines = [`Linebook is ready (${config.mode === 'emulator' ? 'emulator mode' : 'production mode'}).`, '']
  for (const { scheme, url } of listeners) lines.push(`  ${scheme.toUpperCase().padEnd(11)} ${url}`)
  if (config.mode === 'emulator') {
    const { keys } = await revealResource(store, EMULATOR_RESOURCE)
    if (config.apis.includes('phone-numbers')) {
      for (const { scheme, url } of listeners) {
        lines.push(
          `  ${scheme === 'http' ? 'Connect' : 'over HTTPS'}`.padEnd(14) + `endpoint=${url}/;accesskey=${keys.primary}`,
        )
      }
    }
    if (config.builtInIssuer) {
      lines.push(`  Tokens      tenant ${config.issuerTenant}, client linebook-admin, secret ${EMULATOR_CLIENT_SECRET}`)
    }
    if (certFile !== undefined)
      lines.push(`  Certificate ${certFile}`, '              (clients trust it with NODE_EXTRA_CA_CERTS)')
  }
  lines.push(`  Data        ${whereData(config)}`, '  Stop        Ctrl-C')
  for (const note of closedTo(config)) lines.push('', `  Note: ${note}`)
  if (config.mode === 'emulator' && !isLoopback(config.host)) {
    lines.push('', `  Warning: ${config.host} can be reached from other machines, and the credentials are well known.`)
  }
  return lines.join('\n')
}

/** The settings that are missing before clients can use the Provisioning API. */
function closedTo({ apis, tokenIssuers, builtInIssuer, allowedAddresses }: Config): string[] {
  if (!apis.includes('provisioning')) return []
  return [
    ...(tokenIssuers.length === 0 && !builtInIssuer
      ? [
          "the Provisioning API accepts nobody's token. Set LINEBOOK_TOKEN_ISSUERS, or LINEBOOK_BUILT_IN_ISSUER=on, " +
            'or leave it out with LINEBOOK_APIS=phone-numbers.',
        ]
      : []),
    ...(allowedAddresses.entries.length === 0
      ? ['the Provisioning API is open to no address. Set LINEBOOK_ALLOWED_ADDRESSES.']
      : []),
  ]
}

const whereData = ({ databaseUrl, inMemory, dataDir }: Config): string => {
  if (databaseUrl !== undefined) return `PostgreSQL at ${withoutPassword(databaseUrl)}`
  return inMemory ? 'in memory, gone at the end' : `embedded database in ${dataDir}`
}

const withoutPassword = (url: string): string => {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.')
