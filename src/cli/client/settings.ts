import { Option, type Command } from 'commander'
import { readConfig, type Config } from '../../config/config.js'
import { settings } from '../../config/settings.js'

/** The settings that say which database, and how to read what is secret in it. */
export const STORE_SETTINGS = [
  'mode',
  'dataDir',
  'databaseUrl',
  'secretKeys',
  'seedStock',
  'logLevel',
] as const satisfies (keyof Config)[]

/** Adds flags for settings to a command: all of them, or those named. */
export function addSettings(command: Command, names?: readonly (keyof Config)[]): Command {
  for (const { name, env, flag, value, help, fallback, fallbackHelp } of settings) {
    if (names && !names.includes(name)) continue
    const shown = fallbackHelp ?? (typeof fallback === 'string' && fallback !== '' ? fallback : undefined)
    const text = `${help} (${env}${shown === undefined ? '' : `; default ${shown}`})`
    command.addOption(new Option(value === undefined ? `--${flag}` : `--${flag} <${value}>`, text))
  }
  return command
}

/** The settings that a command's flags give, as texts. */
export function flagsOf(command: Command): Partial<Record<keyof Config, string>> {
  const given = command.opts<Record<string, string | true | undefined>>()
  const flags: Partial<Record<keyof Config, string>> = {}
  for (const { name, flag } of settings) {
    const value = given[flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]
    if (value !== undefined) flags[name] = value === true ? 'on' : value
  }
  return flags
}

/** The configuration from the environment and the command's flags. Throws a SetupError. */
export const configOf = (command: Command, env: NodeJS.ProcessEnv): Config => readConfig(env, flagsOf(command))
