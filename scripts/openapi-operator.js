// Makes the OpenAPI document of the Operator API from its contract.
import { json, parameter } from './openapi.js'

/** @param api `operations`, as in `src/operator/contract/operations.ts`; `isRepeatable`; `basePath` */
export function operatorDocument({ operations, isRepeatable, basePath }) {
  const paths = {}
  for (const operation of operations) {
    const item = (paths[`${basePath}${operation.path}`] ??= {})
    item[operation.method.toLowerCase()] = operationObject(operation, isRepeatable)
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Linebook: the Operator API',
      version: 'v1',
      description: 'What runs the business. Generated from src/operator/contract by: npm run generate',
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      responses: {
        Problem: {
          description: 'Refused; the response says what was wrong, where, and what would be right',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token with a role of this API' },
      },
    },
  }
}

function operationObject(operation, isRepeatable) {
  const { operationId, summary, path, role, query, body, bodyOptional, upload, conditional } = operation
  return {
    operationId,
    tags: [operationId.split('_')[0]],
    summary,
    security: [...new Set([role, 'Admin'])].map((name) => ({ token: [`Operator.${name}`] })),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter('path', name, { type: 'string' }, true)),
      ...Object.entries(query.properties).map(([name, { description, ...schema }]) => ({
        ...parameter('query', name, schema, query.required?.includes(name) ?? false),
        ...(description && { description }),
      })),
      ...(isRepeatable(operation) ? [parameter('header', 'Idempotency-Key', { type: 'string' }, false)] : []),
      ...(conditional && operation.method !== 'GET'
        ? [parameter('header', 'If-Match', { type: 'string' }, false)]
        : []),
    ],
    ...(upload && { requestBody: { required: true, content: contentOf(upload, { type: 'string' }) } }),
    ...(body && { requestBody: { required: !bodyOptional, ...json(body) } }),
    responses: { ...success(operation), default: { $ref: '#/components/responses/Problem' } },
  }
}

const contentOf = (types, schema) => Object.fromEntries(types.map((type) => [type, { schema }]))

function success({ success: { status, description, body }, list, download }) {
  if (list) {
    const page = {
      type: 'object',
      required: ['items', 'next'],
      properties: {
        items: { type: 'array', items: body },
        next: { type: ['string', 'null'], description: 'The cursor of the next page; null at the end' },
        count: { type: ['object', 'null'], properties: { value: { type: 'integer' }, exact: { type: 'boolean' } } },
      },
    }
    const text = contentOf(['text/csv', 'application/x-ndjson'], { type: 'string' })
    return { [status]: { description, content: { ...json(page).content, ...text } } }
  }
  if (download)
    return { [status]: { description, content: contentOf([download.split(';', 1)[0]], { type: 'string' }) } }
  return { [status]: { description, ...(body && json(body)) } }
}

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail', 'code'],
        properties: {
          in: { type: 'string', description: 'body, query, path or header' },
          pointer: { type: 'string', description: 'A JSON pointer' },
          detail: { type: 'string' },
          code: { type: 'string' },
        },
      },
    },
  },
}
