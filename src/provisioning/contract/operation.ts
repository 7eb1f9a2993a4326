/** The contract of an operation: its path, role, input and responses. */
import Type, { type TObject, type TSchema } from 'typebox'
import type { ProvisioningErrorKind } from '../../errors.js'
import type { ApiVersion } from './versions.js'

export type Role = 'Read' | 'Write' | 'Delete'

export interface OperationContract<Version extends ApiVersion = ApiVersion> {
  operationId: string
  summary: string
  method: 'GET' | 'PUT' | 'PATCH' | 'DELETE' | 'POST'
  /** As in OpenAPI; the colon of an action is literal. */
  path: string
  /** Other paths that do the same. */
  aliases: readonly string[]
  versions: readonly Version[]
  /** The role that a client needs. */
  role: Role
  kind: 'read' | 'write' | 'list'
  /** Whether it heeds If-Match and the like, and sends an ETag with a resource. */
  conditional: boolean
  /** Whether it can be repeated by the Repeatability headers. */
  repeatable: boolean
  /** The query parameters that it knows besides api-version. */
  query: TObject
  /** Absent: a body is ignored. */
  body?: { schema: TSchema; mayBeEmpty?: true; mergePatch?: true }
  success: { statuses: Readonly<Record<number, string>>; body?: TSchema }
  /** Its own errors, besides those of `refusalsOf`. */
  refusals: readonly ProvisioningErrorKind[]
}

const everywhere: readonly ProvisioningErrorKind[] = [
  'version-missing',
  'version-unsupported',
  'invalid-input',
  'unauthenticated',
  'role-missing',
  'address-not-allowed',
  'too-many-requests',
  'unavailable',
]

/** Every error that an operation may return. */
export const refusalsOf = (operation: OperationContract): ProvisioningErrorKind[] => [
  ...everywhere,
  ...(operation.kind === 'list' ? (['unsupported-query-parameter', ...filterRefusals(operation)] as const) : []),
  ...(operation.body ? (['unsupported-media-type', 'body-too-large', 'invalid-json', 'invalid-body'] as const) : []),
  ...(operation.conditional ? (['condition-not-met'] as const) : []),
  ...(operation.repeatable
    ? ([
        'repeatability-header-invalid',
        'repeatability-mismatch',
        'repeatability-in-progress',
        'repeatability-window-exceeded',
      ] as const)
    : []),
  ...operation.refusals,
]

const filterRefusals = ({ query }: OperationContract): ProvisioningErrorKind[] =>
  'filter' in query.properties ? ['invalid-filter'] : []

/** The parts of an operation that many share. */
type Usual = 'method' | 'aliases' | 'role' | 'kind' | 'conditional' | 'repeatable' | 'query' | 'refusals'
type Rest<Version extends ApiVersion> = Omit<OperationContract<Version>, Usual> &
  Partial<Pick<OperationContract<Version>, Usual>>
type Make = <Version extends ApiVersion>(rest: Rest<Version>) => OperationContract<Version>

const like =
  (usual: Pick<OperationContract, 'method' | 'role' | 'kind' | 'conditional' | 'repeatable'>): Make =>
  (rest) => ({ aliases: [], query: noQuery, refusals: [], ...usual, ...rest })

const noQuery = Type.Object({})

export const list = like({ method: 'GET', role: 'Read', kind: 'list', conditional: false, repeatable: false })
export const read = like({ method: 'GET', role: 'Read', kind: 'read', conditional: true, repeatable: false })
export const put = like({ method: 'PUT', role: 'Write', kind: 'write', conditional: true, repeatable: true })
export const patch = like({ method: 'PATCH', role: 'Write', kind: 'write', conditional: true, repeatable: true })
export const remove = like({ method: 'DELETE', role: 'Delete', kind: 'write', conditional: true, repeatable: true })
export const act = like({ method: 'POST', role: 'Write', kind: 'write', conditional: false, repeatable: true })
