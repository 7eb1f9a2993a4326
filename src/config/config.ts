/**
 * The configuration: read once from the environment and the command line, validated, and frozen. Nothing else reads
 * `process.env`.
 */
import { SetupError } from '../errors.js'
import { BadValue, type Mode, type Setting, type SettingContext } from './setting.js'
import { settings, type Config } from './settings.js'

export type { Config } from './settings.js'

type Entry = Setting<keyof Config>

/**
 * Reads the settings. Flags win over the environment.
 * Throws a SetupError that names the setting and a good value.
 * @param env usually `process.env`
 * @param flags values by setting, as the command line gave them; an absent key was not given
 */
export function readConfig(env: NodeJS.ProcessEnv, flags: Partial<Record<keyof Config, string>> = {}): Config {
  refuseUnknownSettings(env)
  const text = ({ name, env: variable }: Entry): string | undefined => flags[name] ?? env[variable]
  const modeSetting = settings[0] as Entry
  const mode = parseSetting(modeSetting, text(modeSetting) ?? 'emulator', { mode: 'emulator', env }) as Mode
  const entries = settings.map((entry) => {
    const fallback = typeof entry.fallback === 'string' ? entry.fallback : entry.fallback(mode)
    return [entry.name, parseSetting(entry, text(entry) ?? fallback, { mode, env })]
  })
  const config = Object.freeze(Object.fromEntries(entries) as Config)
  checkTogether(config)
  sources.set(config, { env, flags })
  return config
}

/** The source of each configuration, to show the operator where a setting came from. */
const sources = new WeakMap<Config, { env: NodeJS.ProcessEnv; flags: Partial<Record<keyof Config, string>> }>()

export interface EffectiveSetting {
  /** The environment variable. */
  name: string
  flag: string
  /** As it would be set; null for a secret. */
  value: string | null
  isSet: boolean
  source: 'flag' | 'environment' | 'default'
  secret: boolean
  help: string
}

/** Every setting as it is in effect, and where it came from. For secrets it only shows whether they are set. */
export function effectiveSettings(config: Config): EffectiveSetting[] {
  const { env = {}, flags = {} } = sources.get(config) ?? {}
  return settings.map(({ name, env: variable, flag, fallback, secret = false, help }) => {
    const given = flags[name] ?? env[variable]
    const source = flags[name] !== undefined ? 'flag' : env[variable] !== undefined ? 'environment' : 'default'
    const value = given ?? (typeof fallback === 'string' ? fallback : fallback(config.mode))
    return {
      name: variable,
      flag: `--${flag}`,
      value: secret ? null : value,
      isSet: value !== '',
      source,
      secret,
      help,
    }
  })
}

function parseSetting(entry: Entry, text: string, context: SettingContext): unknown {
  try {
    return entry.parse(text, context)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    const shown = entry.secret ? '' : ` "${text}"`
    throw new SetupError(`${entry.env} (--${entry.flag}):${shown} is not a usable value; it takes ${error.message}.`)
  }
}

/** What the command line reads as a client of a running server. A server has no use for them and lets them stand. */
export const clientVariables = {
  url: 'LINEBOOK_URL',
  token: 'LINEBOOK_TOKEN',
  clientId: 'LINEBOOK_CLIENT_ID',
  clientSecret: 'LINEBOOK_CLIENT_SECRET',
} as const

/** One setting alone, for a client that needs no others. Throws a SetupError. */
export function readSetting<Name extends keyof Config>(name: Name, env: NodeJS.ProcessEnv): Config[Name] {
  const entry = settings.find((candidate) => candidate.name === name) as Entry
  const fallback = typeof entry.fallback === 'string' ? entry.fallback : entry.fallback('emulator')
  return parseSetting(entry, env[entry.env] ?? fallback, { mode: 'emulator', env }) as Config[Name]
}

function refuseUnknownSettings(env: NodeJS.ProcessEnv): void {
  const known = new Set<string>([...settings.map((entry) => entry.env), ...Object.values(clientVariables)])
  const unknown = Object.keys(env).filter((name) => name.startsWith('LINEBOOK_') && !known.has(name))
  if (unknown.length === 0) return
  const nearest = [...known].filter((name) => name.startsWith('LINEBOOK_')).join(', ')
  throw new SetupError(`${unknown.join(', ')}: no such setting. The settings are ${nearest}, DATABASE_URL.`)
}

/** Checks that involve several settings. */
function checkTogether(config: Config): void {
  if ((config.tlsCertFile === undefined) !== (config.tlsKeyFile === undefined)) {
    const missing = config.tlsCertFile === undefined ? 'LINEBOOK_TLS_CERT_FILE' : 'LINEBOOK_TLS_KEY_FILE'
    throw new SetupError(`${missing}: a certificate and its key come together; this one is missing.`)
  }
  if (config.inMemory && config.databaseUrl !== undefined) {
    throw new SetupError('LINEBOOK_IN_MEMORY: the database is kept in memory or at DATABASE_URL, not both.')
  }
  const longest = Math.max(config.searchDelayMs, config.purchaseDelayMs)
  if (longest >= config.searchHoldMs) {
    throw new SetupError(
      'LINEBOOK_SEARCH_HOLD_MINUTES: it must be longer than LINEBOOK_SEARCH_DELAY_MS and LINEBOOK_PURCHASE_DELAY_MS.',
    )
  }
  if (config.operatorMnc !== undefined && config.operatorMcc === undefined) {
    throw new SetupError('LINEBOOK_OPERATOR_MCC: a network code means nothing without the code of its country.')
  }
  if (config.mode === 'production') checkProduction(config)
}

function checkProduction(config: Config): void {
  if (config.databaseUrl === undefined) {
    throw new SetupError(
      'DATABASE_URL: production mode needs PostgreSQL, e.g. postgres://linebook:secret@db:5432/linebook.',
    )
  }
  if (config.secretKeys.length === 0) {
    throw new SetupError(
      'LINEBOOK_SECRET_KEY: production mode needs a key for what it keeps secret: openssl rand -base64 32.',
    )
  }
  if (config.seedStock) {
    throw new SetupError('LINEBOOK_SEED_STOCK: production mode never seeds fictional numbers; leave it out.')
  }
}

/** Checks the settings that only a server needs. Throws a SetupError. */
export function checkListeners(config: Config): void {
  if (config.httpPort === undefined && config.httpsPort === undefined) {
    throw new SetupError('LINEBOOK_HTTP_PORT and LINEBOOK_HTTPS_PORT are both empty: there is nothing to listen on.')
  }
  if (config.mode === 'production' && config.httpsPort !== undefined && config.tlsCertFile === undefined) {
    throw new SetupError(
      'LINEBOOK_TLS_CERT_FILE: production mode needs a certificate for HTTPS, with LINEBOOK_TLS_KEY_FILE; ' +
        'or set LINEBOOK_HTTPS_PORT to nothing when a proxy in front does TLS.',
    )
  }
}

/** The text of `.env.example`. */
export const envExample = (): string =>
  [
    '# Every setting of Linebook with its default. Generated by: npm run generate',
    ...settings.map((entry) => {
      const fallback = typeof entry.fallback === 'string' && entry.fallbackHelp === undefined ? entry.fallback : ''
      const note = entry.fallbackHelp === undefined ? '' : ` (default: ${entry.fallbackHelp})`
      return `\n# ${entry.help}${note}\n# ${entry.env}=${fallback}`
    }),
    '',
  ].join('\n')
