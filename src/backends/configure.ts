/**
 * Reads the operator's choice of a backend for each service from the setting LINEBOOK_BACKENDS. Its text is JSON, or
 * the path of a file with the JSON, with a member per service: "none", "simulated" (in an emulator), or where to
 * find a server of docs/backend-protocol.md.
 */
import { readFileSync } from 'node:fs'
import { SetupError } from '../errors.js'
import { readHttpChoice, type HttpChoice } from './http/choice.js'
import type { ServiceCode } from './port/backend.js'

export type BackendChoice = Readonly<Record<ServiceCode, 'simulated' | 'none' | HttpChoice>>

/** Services as the Provisioning API spells them; the keys of the setting. */
const CODES: Readonly<Record<string, ServiceCode>> = {
  teamsOperatorConnect: 'oc',
  teamsPhoneMobile: 'tpm',
  teamsDirectRouting: 'dr',
  zoomPhoneCloudPeering: 'zoom',
  azureOperatorCallProtection: 'aocp',
}

export interface ParseOptions {
  mode: 'emulator' | 'production'
  /** The variables that {"env": "NAME"} refers to. */
  env: Readonly<Record<string, string | undefined>>
}

const SETTING = 'LINEBOOK_BACKENDS'
const GOOD =
  '{"teamsOperatorConnect": {"url": "https://backend.example/oc", "auth": {"header": "X-Api-Key", ' +
  '"value": {"env": "BACKEND_KEY"}}}, "teamsPhoneMobile": "none"}'

export const defaultBackends = (mode: ParseOptions['mode']): BackendChoice => {
  const teams = mode === 'emulator' ? 'simulated' : 'none'
  return { oc: teams, tpm: teams, dr: 'none', zoom: 'none', aocp: 'none' }
}

/** Reads the setting; services that it leaves out keep their default. Throws a SetupError that names the place. */
export function parseBackends(text: string, { mode, env }: ParseOptions): BackendChoice {
  const choices = { ...defaultBackends(mode) }
  if (text.trim() === '') return choices
  const { content, place } = contentOf(text.trim())
  const members = jsonObject(content, place)
  for (const [key, value] of Object.entries(members)) {
    const code = Object.hasOwn(CODES, key) ? CODES[key] : undefined
    if (code === undefined) {
      throw new SetupError(`${place}: ${key} is no service. The services are ${Object.keys(CODES).join(', ')}.`)
    }
    // Nobody gets the numbers that a simulated backend reports as synced.
    if (value === 'simulated' && mode === 'production') {
      throw new SetupError(
        `${place}: ${key}: "simulated" is for emulators. In production it takes "none" or ` +
          '{"url": "https://backend.example/oc"}.',
      )
    }
    choices[code] = value === 'simulated' || value === 'none' ? value : readHttpChoice(`${place}: ${key}`, value, env)
  }
  return choices
}

/** The JSON itself, and its name in errors. */
function contentOf(text: string): { content: string; place: string } {
  if (text.startsWith('{')) return { content: text, place: SETTING }
  try {
    return { content: readFileSync(text, 'utf8'), place: `${SETTING} (${text})` }
  } catch (error) {
    throw new SetupError(`${SETTING}: the file ${text} can't be read. It takes a path, or JSON such as ${GOOD}.`, {
      cause: error,
    })
  }
}

function jsonObject(content: string, place: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    // The parser's own message quotes a piece of the text, which may be a secret.
    value = undefined
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new SetupError(`${place}: not a JSON object. A good one is ${GOOD}.`)
}
