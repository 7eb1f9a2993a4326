/** What refusals of the Provisioning API look like on the wire. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { rfiNotFound } from '../../../src/accounts/consent.js'
import { DomainError, invalidInput, type ProvisioningErrorKind } from '../../../src/errors.js'
import { ErrorResponse } from '../../../src/provisioning/contract/models.js'
import { refusalsOf } from '../../../src/provisioning/contract/operation.js'
import { operations } from '../../../src/provisioning/contract/operations.js'
import {
  pathParameters,
  readFlag,
  readParameter,
  readPath,
  type PathParameter,
} from '../../../src/provisioning/contract/parameters.js'
import { apiVersions, readVersion, versions2023, versions2024 } from '../../../src/provisioning/contract/versions.js'
import { operations as operations2023 } from '../../../src/provisioning/facade-2023/operations.js'
import { errorResponse, publishedErrors } from '../../../src/provisioning/wire/errors.js'

const isErrorResponse = Compile(ErrorResponse)

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was refused.')
}

describe('an error answer', () => {
  it.each(Object.entries(publishedErrors))('of %s has its status, code, header and message', (kind, published) => {
    const error = new DomainError(kind as ProvisioningErrorKind, 'What was wrong.', { target: 'name' })
    const { status, headers, body } = errorResponse(error)
    expect([status, headers['x-ms-error-code']]).toEqual([published.status, published.code])
    expect(body).toEqual({ error: { code: published.code, message: 'What was wrong.', target: 'name' } })
    expect(isErrorResponse.Check(body)).toBe(true)
  })

  it('has one code for each kind of refusal', () => {
    const codes = Object.values(publishedErrors).map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
  })

  it('has a detail with its own code for every fault, and for every fault of a fault', () => {
    const inner = [
      new DomainError('service-not-enabled', 'a', { target: 'numbers[1].serviceDetails.x' }),
      new DomainError('conflicting-services', 'b', { target: 'numbers[1].serviceDetails' }),
    ]
    const faults = [
      new DomainError('duplicate-in-batch', 'c', { target: 'numbers[0]' }),
      new DomainError('invalid-body', 'a b', { target: 'numbers[1]', faults: inner }),
    ]
    const { status, body } = errorResponse(new DomainError('invalid-body', 'Two.', { target: 'numbers[0]', faults }))
    expect(status).toBe(400)
    expect(body).toEqual({
      error: {
        code: 'InvalidRequestBody',
        message: 'Two.',
        target: 'numbers[0]',
        details: [
          { code: 'DuplicateNumberInBatch', message: 'c', target: 'numbers[0]' },
          {
            code: 'InvalidRequestBody',
            message: 'a b',
            target: 'numbers[1]',
            details: [
              { code: 'ServiceNotEnabledOnAccount', message: 'a', target: 'numbers[1].serviceDetails.x' },
              { code: 'ConflictingServices', message: 'b', target: 'numbers[1].serviceDetails' },
            ],
          },
        ],
      },
    })
    expect(isErrorResponse.Check(body)).toBe(true)
  })

  it('of a backend gives its words unchanged', () => {
    const said = { code: 'TooBusy', message: 'Come back  later', target: 'X' }
    const error = new DomainError('backend-failed', 'Operator Connect did not answer as expected.', {
      target: 'oc',
      said,
    })
    expect(errorResponse(error)).toMatchObject({
      status: 502,
      body: { error: { code: 'BackendServiceError', target: 'oc', details: [said] } },
    })
  })

  it('says how to authenticate, which methods there are, and when to try again', () => {
    expect(errorResponse(new DomainError('unauthenticated', 'x')).headers['WWW-Authenticate']).toBe('Bearer')
    const allow = ['GET', 'PUT']
    expect(errorResponse(new DomainError('method-not-allowed', 'x', { allow })).headers['Allow']).toBe('GET, PUT')
    expect(errorResponse(new DomainError('unavailable', 'x')).headers['Retry-After']).toMatch(/^\d+$/)
    expect(errorResponse(new DomainError('too-many-requests', 'x')).headers['Retry-After']).toMatch(/^\d+$/)
    const later = new DomainError('too-many-requests', 'x', { retryAfterSeconds: 1.2 })
    expect(errorResponse(later).headers['Retry-After']).toBe('2')
    expect(errorResponse(new DomainError('invalid-body', 'x')).headers).toEqual({
      'x-ms-error-code': 'InvalidRequestBody',
    })
  })

  it.each([
    new Error('password is hunter2'),
    'hunter2',
    undefined,
    new DomainError('search-not-purchasable', 'hunter2'),
    new DomainError('invalid-body', 'x', { faults: [new DomainError('hold-expired', 'hunter2')] }),
  ])('tells nothing of what is no refusal of this API: %#', (error) => {
    const { status, headers, body } = errorResponse(error)
    expect([status, headers['x-ms-error-code'], body.error.code]).toEqual([
      500,
      'InternalServerError',
      'InternalServerError',
    ])
    expect(JSON.stringify(body)).not.toContain('hunter2')
  })
})

describe('api-version', () => {
  it.each(versions2024)('%s is taken where it is offered', (version) => {
    expect(readVersion([version], versions2024)).toBe(version)
  })

  it.each([
    [[], 'version-missing', '?api-version='],
    [[''], 'version-missing', '?api-version='],
    [['2023-10-01'], 'version-unsupported', 'not offered in api-version'],
    [['2024-01-30'], 'version-unsupported', "'2024-01-30'"],
    [['2024-02-29-PREVIEW'], 'version-unsupported', "'2024-02-29-PREVIEW'"],
    [['2024-02-29 '], 'version-unsupported', "'2024-02-29 '"],
    [['x'.repeat(5_000)], 'version-unsupported', 'x'],
    [['2024-02-29', '2024-02-29'], 'invalid-input', 'given 2 times'],
  ])('%j is refused', (values, kind, words) => {
    const error = thrownBy(() => readVersion(values, versions2024)) as DomainError
    expect(error).toMatchObject({ kind, target: 'api-version' })
    expect(error.message).toContain(words)
    expect(error.message.length).toBeLessThan(300)
    if (kind === 'version-unsupported') expect(error.message).toContain('2024-02-29, 2024-02-29-preview')
  })
})

describe('parameters', () => {
  const good: Record<PathParameter, string[]> = {
    accountName: ['a', 'Contoso_1-x', 'x'.repeat(100)],
    telephoneNumber: ['+12', '+123456789012345'],
    phoneNumber: ['+12', '+123456789012345'],
    civicAddressId: ['a', '4d8ffa8a-5d1c-4d1e-8d0a-6a3f9e1f8a11', 'Straße 1'],
    tenantId: ['contosoTenantId', '4D8FFA8A-5d1c-4d1e-8d0a-6a3f9e1f8a11'],
  }
  const bad: Record<PathParameter, string[]> = {
    accountName: ['', 'a b', 'ä', 'x'.repeat(101), 'a:b', 'a\n'],
    telephoneNumber: ['', '12', '+1', '+0123', '+1234567890123456', ' 123', '+12a', '+12\n', '+１２３'],
    phoneNumber: ['', '12', '+1234567890123456'],
    civicAddressId: ['', 'a\0', 'x'.repeat(257)],
    tenantId: ['', '\0', 'x'.repeat(101)],
  }

  it.each(Object.keys(pathParameters) as PathParameter[])('%s is held to its constraint', (name) => {
    for (const value of good[name]) expect(readPath({ [name]: value }, [name])).toEqual({ [name]: value })
    for (const value of bad[name]) {
      expect(thrownBy(() => readParameter(name, value))).toMatchObject({ kind: 'invalid-input', target: name })
    }
  })

  it('a flag is true or false in lower case, once', () => {
    expect([readFlag('status'), readFlag('status', ['false']), readFlag('status', ['true'])]).toEqual([
      false,
      false,
      true,
    ])
    for (const values of [[''], ['True'], ['1'], ['true', 'true']]) {
      expect(thrownBy(() => readFlag('status', values))).toMatchObject({ kind: 'invalid-input', target: 'status' })
    }
  })

  it('a tenant that has no request is not found if it is a GUID, and no tenant otherwise', () => {
    expect(rfiNotFound('4D8FFA8A-5d1c-4d1e-8d0a-6a3f9e1f8a11').kind).toBe('consent-not-found')
    expect(rfiNotFound('contoso').kind).toEqual(invalidInput('x').kind)
  })
})

describe('the contract', () => {
  const all = [...operations, ...operations2023]

  it('has the published operations, each once in its versions', () => {
    expect([operations.length, operations2023.length]).toEqual([18, 10])
    for (const version of apiVersions) {
      const places = all
        .filter(({ versions }) => (versions as readonly string[]).includes(version))
        .flatMap(({ method, path, aliases }) => [path, ...aliases].map((at) => `${method} ${at}`))
      expect(new Set(places).size).toBe(places.length)
    }
    expect(operations2023.every(({ versions }) => versions === versions2023)).toBe(true)
  })

  it('asks for the role that goes with what an operation does', () => {
    const roles = Object.fromEntries(all.map(({ operationId, role }) => [operationId, role]))
    for (const { method, operationId } of all) {
      if (method !== 'POST') {
        const role = { GET: 'Read', PUT: 'Write', PATCH: 'Write', DELETE: 'Delete' }[method]
        expect([operationId, roles[operationId]]).toEqual([operationId, role])
      }
    }
    expect(roles).toMatchObject({
      Accounts_CreateOrUpdateNumbers: 'Write',
      Accounts_DeleteNumbers: 'Delete',
      Accounts_GetTeamsCapabilityPlans: 'Read',
      Accounts_GetTeamsAvailableCapabilities: 'Read',
      Account_CreateOrReplaceNumbers: 'Write',
    })
  })

  it('names only path parameters that can be read, and every kind of refusal at least once', () => {
    for (const { path } of all) {
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) expect(Object.keys(pathParameters)).toContain(name)
    }
    const met = new Set(all.flatMap(refusalsOf))
    const elsewhere = ['not-found', 'method-not-allowed', 'state-conflict']
    expect(Object.keys(publishedErrors).filter((kind) => !met.has(kind as ProvisioningErrorKind))).toEqual(
      expect.arrayContaining(elsewhere),
    )
    expect(met.size + elsewhere.length).toBe(Object.keys(publishedErrors).length)
  })

  it('repeats writes and actions, and judges conditions of single resources, as documented', () => {
    for (const { method, kind, repeatable, conditional, path } of operations) {
      expect(repeatable).toBe(method !== 'GET')
      expect(conditional).toBe(kind !== 'list' && !path.includes(':'))
    }
    expect(operations2023.filter(({ conditional }) => conditional).map(({ method }) => method)).toEqual(['PUT', 'PUT'])
  })

  it('lets no request body have properties that are not in it', () => {
    const open: unknown[] = []
    const walk = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return
      if ('properties' in schema && (schema as { additionalProperties?: unknown }).additionalProperties !== false) {
        open.push(schema)
      }
      Object.values(schema).forEach(walk)
    }
    all.forEach(({ body }) => walk(body?.schema))
    expect(open).toEqual([])
    expect(Type.IsSchema(operations[2]?.body?.schema)).toBe(true)
  })
})
