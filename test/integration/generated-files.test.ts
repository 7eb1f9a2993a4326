/** What is generated and checked in is what its sources make of it now, on either engine. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import * as config from '../../src/config.js'
import * as models from '../../src/phone-numbers/contract/models.js'
import * as operations from '../../src/phone-numbers/contract/operations.js'
import * as versions from '../../src/phone-numbers/contract/versions.js'
import { openTestDatabase } from '../fixtures/database.js'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

describe('generated files', () => {
  let generated: Record<string, string>

  beforeAll(async () => {
    const generator = '../../scripts/generated-files.js'
    const { generatedFiles } = (await import(generator)) as {
      generatedFiles(sources: object): Promise<Record<string, string>>
    }
    const db = await openTestDatabase()
    generated = await generatedFiles({ config, models, operations, versions, db }).finally(() => db.close())
  })

  it.each(['.env.example', 'openapi/phone-numbers.json', 'schema.sql'])('%s is up to date', (path) => {
    expect(read(path), `${path} is stale. Run: npm run generate`).toBe(generated[path])
  })

  it('are all checked', () => {
    expect(Object.keys(generated)).toEqual(['.env.example', 'openapi/phone-numbers.json', 'schema.sql'])
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
    'x-linebook-not-implemented'?: true
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
    expect(Object.keys(entry.responses)).toEqual([String(contract.success.status), 'default'])
    expect(entry['x-linebook-not-implemented']).toBe(contract.notImplemented)
  })

  it('refers only to what it has', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to as string)
    expect(references.length).toBeGreaterThan(0)
    const missing = references.filter((to) => {
      const [hash, components, kind = '', name = ''] = to.split('/')
      return hash !== '#' || components !== 'components' || document.components[kind]?.[name] === undefined
    })
    expect(missing).toEqual([])
  })
})
