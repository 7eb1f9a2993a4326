/** What an API refused, as one text for people. The Operator API sends problem details, the other two error objects. */
import { SetupError } from '../../errors.js'
import { BASE_PATH } from '../../operator/contract/operation.js'
import { jsonOf } from '../../outbound.js'

/** An API refused a request. */
export class Refused extends SetupError {
  constructor(
    readonly status: number,
    /** The API's own; '' where what answered is none of ours. */
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

const MAX_SHOWN_CHARS = 300

export function refused(source: string, path: string, status: number, text: string): Refused {
  const said = problemOf(text) ?? errorOf(text)
  if (isNoEmulator(path, status, said?.code)) {
    return new Refused(status, '', `${source} is no emulator: a Linebook in production mode has no test controls.`)
  }
  if (said === undefined) {
    const shown = text.replace(/\s+/g, ' ').slice(0, MAX_SHOWN_CHARS)
    return new Refused(status, '', `${source} answered ${status}, and not as a Linebook does. ${shown}`)
  }
  return new Refused(status, said.code, [said.messages.join(' '), ...hintFor(path, status)].join(' '))
}

interface Said {
  code: string
  /** Each fault by itself where several things are wrong. */
  messages: string[]
}

/** RFC 9457. */
function problemOf(text: string): Said | undefined {
  const { code, detail, errors } = (jsonOf(text) ?? {}) as { code?: unknown; detail?: unknown; errors?: unknown }
  if (typeof code !== 'string' || typeof detail !== 'string') return undefined
  const faults = Array.isArray(errors) ? (errors as { detail?: unknown }[]).map((fault) => String(fault.detail)) : []
  return { code, messages: faults.length > 1 ? faults : [detail] }
}

function errorOf(text: string): Said | undefined {
  const { error } = (jsonOf(text) ?? {}) as { error?: { code?: unknown; message?: unknown; details?: unknown } }
  if (typeof error?.code !== 'string') return undefined
  const details = Array.isArray(error.details) ? (error.details as { message?: unknown }[]) : []
  return {
    code: error.code,
    messages: details.length > 0 ? details.map(({ message }) => String(message)) : [String(error.message)],
  }
}

/** A server without the routes of the test controls answers with other codes, or none. */
const isNoEmulator = (path: string, status: number, code: string | undefined): boolean =>
  path.startsWith('/_emulator/') &&
  ((status === 404 && code !== 'NotFound') || (status === 401 && code !== 'Unauthorized'))

function hintFor(path: string, status: number): string[] {
  if (status === 401)
    return [
      'Give a token in LINEBOOK_TOKEN or with --token-file, or a client in LINEBOOK_CLIENT_ID and LINEBOOK_CLIENT_SECRET.',
    ]
  if (status === 403 && path.startsWith(BASE_PATH)) return ['The roles are in docs/operator-api.md.']
  return []
}
