// Makes the OpenAPI document of the backend protocol, which a backend server has to implement.
import { json, referencesTo } from './openapi.js'

/**
 * @param contract the module src/backends/http/contract.ts: `operations` and `models` by name, `teamsOperations` among
 * the former
 */
export function backendProtocolDocument({ operations, teamsOperations, models }) {
  const reference = referencesTo(models)
  const paths = {}
  for (const [operationId, { method, path, summary, query, body, response }] of Object.entries(operations)) {
    const isCommand = response === models.Outcomes
    const parameters = [
      { $ref: '#/components/parameters/Service' },
      ...(isCommand ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
      ...queryParameters(query, reference),
    ]
    ;(paths[path] ??= {})[method.toLowerCase()] = {
      operationId,
      summary,
      tags: [operationId in teamsOperations ? TEAMS.name : EVERY_BACKEND.name],
      parameters,
      ...(body && { requestBody: { required: true, ...json(reference(body)) } }),
      responses: {
        200: { description: isCommand ? 'An outcome per item, in their order' : 'Found', ...json(reference(response)) },
        400: { description: 'Refused for every item', ...json(reference(models.ErrorResponse)) },
        429: { $ref: '#/components/responses/Later' },
        503: { $ref: '#/components/responses/Later' },
      },
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Linebook: the backend protocol',
      version: '1',
      description:
        'The requests that Linebook sends to a system behind a service; docs/backend-protocol.md says when. ' +
        'Generated from src/backends/http/contract.ts by: npm run generate',
    },
    tags: [EVERY_BACKEND, TEAMS],
    security: [{ header: [] }, { clientCredentials: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.keys(models)
          .sort()
          .map((name) => [name, reference.inside(models[name])]),
      ),
      parameters: PARAMETERS,
      responses: {
        Later: {
          description: 'Not now; nothing was done when it is a 429',
          headers: { 'Retry-After': { schema: { type: 'string' }, description: 'Seconds, or an HTTP date' } },
          ...json(reference(models.ErrorResponse)),
        },
      },
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

const EVERY_BACKEND = { name: 'Every backend', description: 'Requests to the backend of any service' }
const TEAMS = {
  name: 'Teams',
  description: 'Requests to the backends of Operator Connect and Teams Phone Mobile only',
}

const queryParameters = (query, reference) =>
  Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(query.required?.includes(name) && { required: true }),
    schema: reference(schema),
  }))

const PARAMETERS = {
  Service: {
    name: 'Linebook-Service',
    in: 'header',
    required: true,
    description: 'The service that the request is about, for a server behind several services',
    schema: { type: 'string', enum: ['oc', 'tpm', 'dr', 'zoom', 'aocp'] },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description: 'The same for each repeat of the same commands; the keys of the items decide',
    schema: { type: 'string' },
  },
}

const SECURITY_SCHEMES = {
  header: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'A header of any name, with a fixed value' },
  clientCredentials: {
    type: 'oauth2',
    flows: { clientCredentials: { tokenUrl: 'https://login.example/oauth2/token', scopes: {} } },
  },
}
