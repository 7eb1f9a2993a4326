/** What is written about the backend protocol for people and generators is what the program speaks. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { parseBackends } from '../../../src/backends/configure.js'
import * as contract from '../../../src/backends/http/contract.js'
import { misbehaviourNames } from '../../../src/backends/simulated/misbehaviour.js'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
const guide = read('docs/backend-protocol.md')

/** Each heading that is an operation, with the JSON below it. */
const sections = guide
  .split(/^##+ /m)
  .map((text) => ({
    heading: text.slice(0, text.indexOf('\n')),
    blocks: [...text.matchAll(/```json\n([^]*?)```/g)].map(([, json = '']) => JSON.parse(json) as unknown),
  }))
  .filter(({ heading }) => /^(GET|POST) /.test(heading))

describe('docs/backend-protocol.md', () => {
  it('has a section for every operation', () => {
    const operations = Object.values(contract.operations).map(({ method, path }) => `${method} ${path}`)
    expect(sections.map(({ heading }) => heading).sort()).toEqual(operations.sort())
  })

  it.each(Object.values(contract.operations))('shows $method $path as it is', (operation) => {
    const { method, path, response } = operation
    const { blocks } = sections.find(({ heading }) => heading === `${method} ${path}`) ?? { blocks: [] }
    const schemas: TSchema[] = 'body' in operation ? [operation.body, response] : [response]
    // Update and release refer to the sections above them.
    expect([0, schemas.length]).toContain(blocks.length)
    blocks.forEach((block, index) => expect(Compile(schemas[index] as TSchema).Errors(block)).toEqual([]))
  })

  it('shows a setting that is taken', () => {
    const text = /```jsonc\n([^]*?)```/
      .exec(guide)?.[1]
      ?.replace(/\/\/.*$/gm, (comment) =>
        comment.startsWith('//backend') || comment.startsWith('//login') ? comment : '',
      )
    const env = { OC_BACKEND_HEADER: 'secret', TPM_CLIENT_SECRET: 'secret' }
    expect(parseBackends(text ?? '', { mode: 'production', env })).toMatchObject({
      oc: { url: 'https://backend.example/oc', batchSize: 200 },
      tpm: { auth: { scope: 'numbers' } },
      zoom: 'none',
      aocp: 'none',
    })
  })
})

it('docs/emulator-backends.md names every misbehaviour', () => {
  const rows = [...read('docs/emulator-backends.md').matchAll(/^\| `([a-z-]+)` \| `\{/gm)].map(([, name]) => name)
  expect(rows).toEqual([...misbehaviourNames])
})

it('openapi/backend-protocol.json is up to date', async () => {
  const generator = '../../../scripts/openapi-backend-protocol.js'
  const { backendProtocolDocument } = (await import(generator)) as {
    backendProtocolDocument(contract: object): object
  }
  expect(JSON.parse(read('openapi/backend-protocol.json'))).toEqual(
    JSON.parse(JSON.stringify(backendProtocolDocument(contract))),
  )
})
