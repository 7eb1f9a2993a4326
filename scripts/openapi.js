// Makes an OpenAPI document of an API's contract. The schemas of a contract are JSON Schema, as OpenAPI 3.1 wants them.

/**
 * @param api `title`, `version` and `description` of the document; `operations`, as in `contract/operations.ts`;
 * `models`, schemas by name; `error`, the name of the model of error responses; `securitySchemes`
 */
export function openApiDocument({ title, version, description, operations, models, error, securitySchemes }) {
  const reference = referencesTo(models)
  const paths = {}
  for (const operation of operations) {
    const item = (paths[operation.path] ??= {})
    item[operation.method.toLowerCase()] = operationObject(operation, reference)
  }
  return {
    openapi: '3.1.1',
    info: { title, version, description },
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.keys(models)
          .sort()
          .map((name) => [name, reference.inside(models[name])]),
      ),
      responses: { Error: { description: 'Refused; the response says why', ...json(reference(models[error])) } },
      securitySchemes,
    },
  }
}

function operationObject(operation, reference) {
  const { operationId, summary, path, versions, query, body, bodyOptional, success } = operation
  return {
    operationId,
    tags: [operationId.split('_')[0]],
    summary,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter('path', name, { type: 'string' }, true)),
      parameter('query', 'api-version', { type: 'string', enum: versions }, true),
      ...Object.entries(query.properties).map(([name, { description, ...schema }]) => ({
        ...parameter('query', name, reference(schema), query.required?.includes(name) ?? false),
        ...(description && { description }),
      })),
    ],
    ...(body && { requestBody: { required: !bodyOptional, ...json(reference(body)) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries({ [success.status]: success.description, ...success.otherwise }).map(([status, description]) => [
          status,
          { description, ...(success.body && json(reference(success.body))) },
        ]),
      ),
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

export const parameter = (where, name, schema, required) => ({
  name,
  in: where,
  ...(required && { required }),
  schema,
})

export const json = (schema) => ({ content: { 'application/json': { schema } } })

/**
 * A function that returns a schema with `$ref` in place of each model in it. Models are recognised by their JSON, since
 * TypeBox copies a schema that it makes optional.
 */
export function referencesTo(models) {
  const names = new Map()
  for (const [name, schema] of Object.entries(models)) {
    const text = JSON.stringify(schema)
    if (names.has(text)) throw new Error(`${name} and ${names.get(text)} are the same model under two names`)
    names.set(text, name)
  }
  const reference = (schema) => {
    const name = names.get(JSON.stringify(schema))
    return name === undefined ? reference.inside(schema) : { $ref: `#/components/schemas/${name}` }
  }
  reference.inside = (value) => {
    if (Array.isArray(value)) return value.map(reference)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, reference(part)]))
  }
  return reference
}
