/** What is generated and checked in is what its sources make of it now, on either engine. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import * as backendProtocol from '../../src/backends/http/contract.js'
import * as config from '../../src/config/config.js'
import { BASE_PATH, isRepeatable } from '../../src/operator/contract/operation.js'
import { operations as operatorOperations } from '../../src/operator/contract/operations.js'
import * as models from '../../src/phone-numbers/contract/models.js'
import * as operations from '../../src/phone-numbers/contract/operations.js'
import * as versions from '../../src/phone-numbers/contract/versions.js'
import * as provisioningModels from '../../src/provisioning/contract/models.js'
import { refusalsOf, type OperationContract } from '../../src/provisioning/contract/operation.js'
import * as operation from '../../src/provisioning/contract/operation.js'
import * as provisioningOperations from '../../src/provisioning/contract/operations.js'
import * as parameters from '../../src/provisioning/contract/parameters.js'
import * as requests from '../../src/provisioning/contract/requests.js'
import * as provisioningVersions from '../../src/provisioning/contract/versions.js'
import * as facadeModels from '../../src/provisioning/facade-2023/models.js'
import * as facadeOperations from '../../src/provisioning/facade-2023/operations.js'
import * as errors from '../../src/provisioning/wire/errors.js'
import { openTestDatabase } from '../fixtures/database.js'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

const provisioning = {
  operation,
  operations: provisioningOperations,
  models: provisioningModels,
  requests,
  parameters,
  versions: provisioningVersions,
  errors,
  facadeOperations,
  facadeModels,
}

const FILES = [
  '.env.example',
  'openapi/phone-numbers.json',
  'openapi/provisioning.json',
  'openapi/provisioning-2023-10-01.json',
  'openapi/operator.json',
  'openapi/backend-protocol.json',
  'schema.sql',
]

describe('generated files', () => {
  let generated: Record<string, string>

  beforeAll(async () => {
    const generator = '../../scripts/generated-files.js'
    const { generatedFiles } = (await import(generator)) as {
      generatedFiles(sources: object): Promise<Record<string, string>>
    }
    const db = await openTestDatabase()
    generated = await generatedFiles({
      config,
      models,
      operations,
      versions,
      provisioning,
      operator: { operations: operatorOperations, isRepeatable, basePath: BASE_PATH },
      backendProtocol,
      db,
    }).finally(() => db.close())
  })

  it.each(FILES)('%s is up to date', (path) => {
    expect(read(path), `${path} is stale. Run: npm run generate`).toBe(generated[path])
  })

  it('are all checked', () => {
    expect(Object.keys(generated)).toEqual(FILES)
  })
})

describe('openapi/phone-numbers.json', () => {
  const document = JSON.parse(read('openapi/phone-numbers.json')) as {
    openapi: string
    paths: Record<string, Record<string, Entry>>
    components: Record<string, Record<string, unknown>>
  }
  interface Entry {
    operationId: string
    parameters: { name: string; in: string; required?: true; schema: { enum?: string[] } }[]
    requestBody?: object
    responses: Record<string, object>
  }
  const entries = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, entry]) => ({ path, method: method.toUpperCase(), ...entry })),
  )

  it('has every operation of the contract once, where the contract has it', () => {
    const place = ({ operationId, method, path }: { operationId: string; method: string; path: string }) =>
      `${operationId} ${method} ${path}`
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(entries.map(place).sort()).toEqual(operations.operations.map(place).sort())
    expect(new Set(entries.map(({ operationId }) => operationId)).size).toBe(entries.length)
  })

  it.each(operations.operations)('describes $operationId as the contract does', (contract) => {
    const entry = entries.find(({ operationId }) => operationId === contract.operationId) as Entry
    const names = (where: string) => entry.parameters.filter((p) => p.in === where).map(({ name }) => name)
    expect(names('path')).toEqual([...contract.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
    expect(names('query')).toEqual(['api-version', ...Object.keys(contract.query.properties)])
    expect(entry.parameters.find(({ name }) => name === 'api-version')).toMatchObject({
      required: true,
      schema: { enum: contract.versions },
    })
    expect(entry.requestBody !== undefined).toBe(contract.body !== undefined)
    const { status, otherwise } = contract.success
    expect(Object.keys(entry.responses)).toEqual([...Object.keys({ [status]: '', ...otherwise }), 'default'])
  })

  it('refers only to what it has', () => {
    expect(missingReferences(document)).toEqual([])
  })
})

describe.each<[file: string, contracts: readonly OperationContract[], count: number]>([
  ['openapi/provisioning.json', provisioningOperations.operations, 18],
  ['openapi/provisioning-2023-10-01.json', facadeOperations.operations, 10],
])('%s', (file, contracts, count) => {
  interface Entry {
    operationId: string
    security: { token: string[] }[]
    parameters: { name: string; in: string; required?: true; schema: object; $ref?: string }[]
    requestBody?: { required: boolean; content: Record<string, object> }
    responses: Record<string, { headers?: Record<string, object>; content?: object }>
    'x-linebook-error-codes': Record<string, string[]>
  }
  const document = JSON.parse(read(file)) as {
    paths: Record<string, Record<string, Entry>>
    components: Record<string, Record<string, unknown>>
  }
  const entryOf = ({ path, method }: OperationContract) =>
    (document.paths[path] as Record<string, Entry>)[method.toLowerCase()] as Entry

  it('has every operation of the contract once, where the contract has it', () => {
    const entries = Object.values(document.paths).flatMap((item) => Object.values(item))
    expect(entries.map(({ operationId }) => operationId).sort()).toEqual(
      contracts.map(({ operationId }) => operationId).sort(),
    )
    expect(entries).toHaveLength(count)
  })

  it.each(contracts)('describes $operationId as the contract does', (contract) => {
    const { role, conditional, repeatable, body, success, path, query, versions: offered } = contract
    const entry = entryOf(contract)
    const names = (where: string) => entry.parameters.filter((p) => p.in === where).map(({ name }) => name)
    const headers = entry.parameters.flatMap(({ $ref }) => ($ref === undefined ? [] : [$ref.split('/').at(-1)]))
    expect(entry.operationId).toBe(contract.operationId)
    expect(entry.security[0]).toEqual({ token: [`ProvisioningAPI.${role}`] })
    expect(names('path')).toEqual(parameters.parametersIn(path))
    expect(names('query')).toEqual(['api-version', ...Object.keys(query.properties)])
    expect(entry.parameters.find(({ name }) => name === 'api-version')?.schema).toMatchObject({ enum: offered })
    expect(headers).toContain('x-ms-client-request-id')
    expect(headers.includes('If-Match')).toBe(conditional)
    expect(headers.includes('Repeatability-Request-ID')).toBe(repeatable)
    expect(entry.requestBody !== undefined).toBe(body !== undefined)
    for (const status of Object.keys(success.statuses)) {
      const answer = entry.responses[status]
      expect(answer?.content !== undefined).toBe(success.body !== undefined)
      expect('Repeatability-Result' in (answer?.headers ?? {})).toBe(repeatable)
      expect('ETag' in (answer?.headers ?? {})).toBe(
        success.body !== undefined && contract.kind !== 'list' && contract.method !== 'POST',
      )
    }
    expect('304' in entry.responses).toBe(conditional && contract.kind === 'read')
    expect(entry.responses['default']).toEqual({ $ref: '#/components/responses/Error' })
    for (const kind of refusalsOf(contract)) {
      const { status, code } = errors.publishedErrors[kind]
      expect(entry['x-linebook-error-codes'][String(status)]).toContain(code)
    }
  })

  it('refers only to what it has', () => {
    expect(missingReferences(document)).toEqual([])
  })

  it('has no two descriptions of one path', () => {
    const shapes = Object.keys(document.paths).map((path) => path.replace(/\{\w+\}/g, '{}'))
    expect(new Set(shapes).size).toBe(shapes.length)
  })
})

/** References of a document that lead nowhere. */
function missingReferences(document: { components: Record<string, Record<string, unknown>> }): string[] {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to as string)
  expect(references.length).toBeGreaterThan(0)
  return references.filter((to) => {
    const [hash, components, kind = '', name = ''] = to.split('/')
    return hash !== '#' || components !== 'components' || document.components[kind]?.[name] === undefined
  })
}
