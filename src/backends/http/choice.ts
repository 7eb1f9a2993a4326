/** The schema of an http backend's settings; each description says what would be right. */
import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { SetupError } from '../../errors.js'
import type { HttpOptions } from './http.js'
import type { HttpAuth } from './transport.js'

/** The settings of a backend that speaks the protocol. */
export type HttpChoice = Pick<HttpOptions, 'url' | 'auth' | 'headers' | 'timeoutMs' | 'batchSize' | 'concurrency'>

type Environment = Readonly<Record<string, string | undefined>>

/** Linebook sends these itself. */
const OWN_HEADERS =
  'accept, authorization, content-length, content-type, host, idempotency-key, linebook-service'.split(', ')
const A_TEXT = 'a text, or {"env": "NAME"} for the value of a variable of the environment'

const text = (description: string, pattern = '') => Type.String({ minLength: 1, pattern, description })
const wholeNumber = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}` })
const closed = { additionalProperties: false }

const Address = Type.Refine(
  text(
    'an address such as "https://backend.example/oc", without user, password, ? and #',
    '^[Hh][Tt][Tt][Pp][Ss]?://[^?#]+$',
  ),
  (url) => URL.canParse(url) && `${new URL(url).username}${new URL(url).password}` === '',
)
const HeaderName = text('the name of a header, e.g. "Authorization"', "^[\\w!#$%&'*+.^`|~-]{1,100}$")
const HeaderValue = text(`${A_TEXT}; it has printable ASCII without line breaks`, '^[\\x20-\\x7e]{1,8192}$')

const Choice = Type.Object(
  {
    url: Address,
    auth: Type.Optional(Type.Object({}, { description: 'a JSON object' })),
    headers: Type.Optional(
      Type.Refine(
        Type.Record(HeaderName, HeaderValue, {
          description: `a JSON object with the names of headers, other than ${OWN_HEADERS.join(', ')}`,
          ...closed,
        }),
        (headers) => !Object.keys(headers).some((name) => OWN_HEADERS.includes(name.toLowerCase())),
      ),
    ),
    timeoutMs: Type.Optional(wholeNumber(100, 600_000)),
    batchSize: Type.Optional(wholeNumber(1, 1_000)),
    concurrency: Type.Optional(wholeNumber(1, 64)),
  },
  { description: '"simulated", "none" or {"url": "https://backend.example/oc"}', ...closed },
)
const FixedHeader = Type.Object({ header: HeaderName, value: HeaderValue }, closed)
const Credentials = Type.Object(
  {
    tokenUrl: Address,
    clientId: text(A_TEXT),
    clientSecret: text(A_TEXT),
    scope: Type.Optional(text(A_TEXT)),
    clientAuthentication: Type.Optional(Type.Enum(['post', 'basic'], { description: '"post" or "basic"' })),
  },
  closed,
)

/** @param place the start of error messages, e.g. `LINEBOOK_BACKENDS: teamsOperatorConnect` */
export function readHttpChoice(place: string, value: unknown, env: Environment): HttpChoice {
  const { url, auth, ...rest } = fitting(place, Choice, fromEnvironment(place, value, env))
  return { ...rest, url: withoutSlash(url), ...(auth && { auth: readAuth(`${place}.auth`, auth) }) }
}

function readAuth(place: string, auth: object): HttpAuth {
  if ('header' in auth) return fitting(place, FixedHeader, auth)
  const credentials = fitting(place, Credentials, auth)
  return { ...credentials, tokenUrl: withoutSlash(credentials.tokenUrl) }
}

const withoutSlash = (url: string): string => new URL(url).href.replace(/\/+$/, '')

/** Replaces each `{"env": "NAME"}` by the value of the variable; a header may be called env. */
function fromEnvironment(place: string, value: unknown, env: Environment, mayBeText = false): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const [[name, variable] = [], ...others] = Object.entries(value)
  if (mayBeText && name === 'env' && others.length === 0 && typeof variable === 'string') {
    const found = env[variable]
    if (found) return found
    throw new SetupError(`${place}: the environment has no variable ${variable}, or it is empty.`)
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, fromEnvironment(`${place}.${key}`, part, env, key !== 'headers')]),
  )
}

/** Returns the value if it fits the schema. Errors never show it: it may hold a secret. */
function fitting<Schema extends TSchema>(place: string, schema: Schema, value: unknown): Static<Schema> {
  const compiled = Compile(schema as TSchema)
  if (compiled.Check(value)) return value as Static<Schema>
  const faults = compiled.Errors(value)
  // Members that are wrong are reported before members that are missing.
  const fault = faults.find(({ keyword }) => keyword !== 'required') ?? faults[0]
  const { requiredProperties: missing = [] } = fault?.params as { requiredProperties?: string[] }
  const path = [...(fault?.instancePath ?? '').split('/').slice(1), ...missing.slice(0, 1)]
  // A name that is not in the schema is a fault of the object around it.
  const unknown = fault?.keyword === 'boolean' ? path.pop() : undefined
  const { properties, description } = path.reduce<Part>(partOf, schema)
  const wrong =
    unknown !== undefined && properties
      ? `${unknown} is not known here; it takes ${Object.keys(properties).join(', ')}`
      : `it takes ${description}`
  throw new SetupError(`${[place, ...path].join('.')}: ${wrong}.`)
}

interface Part {
  description?: string
  properties?: Record<string, Part>
  patternProperties?: Record<string, Part>
}

const partOf = ({ properties = {}, patternProperties = {} }: Part, name: string): Part =>
  properties[name] ?? Object.values(patternProperties)[0] ?? {}
