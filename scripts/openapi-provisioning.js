// Makes the OpenAPI documents of the Provisioning API from its contract. Beside what every API has, it has conditional
// and repeatable requests, roles, several statuses of success, and a table of error codes.
import { json, parameter, referencesTo } from './openapi.js'

/**
 * @param api `title`, `version` and `description` of the document; `operations`, as in `contract/operation.ts`;
 * `models`, schemas by name; `pathParameters`, schemas by name; `refusalsOf`, which gives the refusals of an operation;
 * `publishedErrors` and `internalError`, as in `errors.ts`
 */
export function provisioningDocument({ title, version, description, operations, models, ...rules }) {
  const reference = referencesTo(models)
  const paths = {}
  for (const operation of operations) {
    const item = (paths[operation.path] ??= {})
    item[operation.method.toLowerCase()] = operationObject(operation, reference, rules)
  }
  return {
    openapi: '3.1.1',
    info: { title, version, description },
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.keys(models)
          .sort()
          .map((name) => [name, reference.inside(models[name])]),
      ),
      parameters: Object.fromEntries(
        Object.entries(REQUEST_HEADERS).map(([name, description]) => [
          name,
          { ...parameter('header', name, { type: 'string' }, false), description },
        ]),
      ),
      headers: RESPONSE_HEADERS,
      responses: {
        Error: {
          description: 'Refused; the response says why',
          headers: headers([
            ...ON_EVERY_ANSWER,
            'x-ms-error-code',
            'Repeatability-Result',
            'Retry-After',
            'WWW-Authenticate',
          ]),
          ...json(reference(models.ErrorResponse)),
        },
      },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: TOKEN } },
    },
  }
}

function operationObject(operation, reference, { pathParameters, refusalsOf, publishedErrors, internalError }) {
  const { operationId, summary, path, aliases, versions, role, conditional, repeatable, query, body } = operation
  const errors = [...refusalsOf(operation).map((kind) => publishedErrors[kind]), internalError]
  return {
    operationId,
    tags: [operationId.split('_')[0]],
    summary,
    ...(aliases.length > 0 && { description: `Also at ${aliases.join(', ')}.` }),
    security: [role, 'Admin'].map((name) => ({ token: [`ProvisioningAPI.${name}`] })),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => described('path', name, pathParameters[name], reference)),
      parameter('query', 'api-version', { type: 'string', enum: versions }, true),
      ...Object.entries(query.properties).map(([name, schema]) => described('query', name, schema, reference)),
      ...['x-ms-client-request-id', ...(conditional ? CONDITIONAL : []), ...(repeatable ? REPEATABLE : [])].map(
        (name) => ({ $ref: `#/components/parameters/${name}` }),
      ),
    ],
    ...(body && { requestBody: { required: !body.mayBeEmpty, content: contentOf(body, reference) } }),
    responses: { ...successes(operation, reference), default: { $ref: '#/components/responses/Error' } },
    'x-linebook-error-codes': codesByStatus(errors),
  }
}

const described = (where, name, { description, ...schema }, reference) => ({
  ...parameter(where, name, reference(schema), where === 'path'),
  ...(description && { description }),
})

const contentOf = ({ schema, mergePatch }, reference) =>
  Object.fromEntries(
    [...(mergePatch ? ['application/merge-patch+json'] : []), 'application/json'].map((type) => [
      type,
      { schema: reference(schema) },
    ]),
  )

function successes({ success, method, kind, conditional, repeatable, query }, reference) {
  const isResource = success.body !== undefined && kind !== 'list' && method !== 'POST'
  const ofResource = isResource ? ['ETag', 'Last-Modified'] : []
  const sent = [
    ...ofResource,
    ...('countRecords' in query.properties ? ['x-ms-record-count'] : []),
    ...(repeatable ? ['Repeatability-Result'] : []),
    ...ON_EVERY_ANSWER,
  ]
  const successes = Object.entries(success.statuses).map(([status, description]) => [
    status,
    { description, headers: headers(sent), ...(success.body && json(reference(success.body))) },
  ])
  const notModified = { description: 'Not modified since the version that the request names', headers: headers(sent) }
  return Object.fromEntries([...successes, ...(method === 'GET' && conditional ? [['304', notModified]] : [])])
}

const headers = (names) => Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))

/** The codes of errors by their status, in ascending order. */
function codesByStatus(errors) {
  const codes = {}
  for (const { status, code } of errors) (codes[status] ??= new Set()).add(code)
  return Object.fromEntries(Object.entries(codes).map(([status, set]) => [status, [...set]]))
}

const TOKEN =
  'An OAuth 2.0 access token whose roles claim has one of the roles named, or the same role for people, such as ' +
  'ProvisioningAPI.ReadUser.'

const CONDITIONAL = ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since']
const REPEATABLE = ['Repeatability-Request-ID', 'Repeatability-First-Sent']
const ON_EVERY_ANSWER = ['x-ms-request-id', 'x-ms-client-request-id']

const REQUEST_HEADERS = {
  'If-Match': 'Only if the resource has one of these tags. Writes compare what clients can write, not the sync status.',
  'If-None-Match': 'Only if the resource has none of these tags; * for only if there is none.',
  'If-Modified-Since': 'Only if the resource was changed later: an HTTP date or RFC 3339.',
  'If-Unmodified-Since': 'Only if the resource was not changed later: an HTTP date or RFC 3339.',
  'Repeatability-Request-ID': 'Names the request, so that sending it again has no second effect. 1 to 128 characters.',
  'Repeatability-First-Sent': 'When the request was first sent: an HTTP date or RFC 3339. Goes with the other.',
  'x-ms-client-request-id': 'Comes back in the response, if it is printable ASCII of at most 128 characters.',
}

const text = (description) => ({ description, schema: { type: 'string' } })

const RESPONSE_HEADERS = {
  ETag: text('The version of the resource'),
  'Last-Modified': text('When the resource last changed, as an HTTP date'),
  'Repeatability-Result': {
    description: 'Whether the Repeatability headers were honoured',
    schema: { type: 'string', enum: ['accepted', 'rejected'] },
  },
  'Retry-After': { description: 'In how many seconds to try again; of 429 and 503', schema: { type: 'integer' } },
  'WWW-Authenticate': text('The scheme to authenticate by; of 401'),
  'x-ms-client-request-id': text('What the request had there'),
  'x-ms-error-code': text('The code of the error'),
  'x-ms-record-count': {
    description: 'How many items match the filter, if countRecords asked for it',
    schema: { type: 'integer', format: 'int32' },
  },
  'x-ms-request-id': text('Names this request in the log'),
}
