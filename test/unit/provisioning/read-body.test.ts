/** What bodies of the Provisioning API may be, and what is said of those that may not. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DomainError } from '../../../src/errors.js'
import {
  readAccount,
  readBatch,
  readConsentPatch,
  readIdentifiers,
  readNothing,
  readNumber,
} from '../../../src/provisioning/body/read-body.js'

/** What `act` throws. */
function refusal(act: () => unknown): DomainError {
  try {
    act()
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
  throw new Error('Nothing was refused.')
}

const faultsOf = (act: () => unknown) => {
  const { kind, target, faults } = refusal(act)
  return { kind, target, faults: faults.map((fault) => [fault.target, fault.message]) }
}

const tokens = { region1Token: 'region1TokenValue', region2Token: 'MS=ms1' }
const inPath = { accountName: 'contoso', e164: '+123451' }
const oc = (configuration: object = {}) => ({
  enabled: true,
  configuration: { usage: 'CallingUserAssignment', choosableCapabilities: ['InboundCalling'], ...configuration },
})

describe('an account', () => {
  it('is read with defaults filled in and read-only properties dropped', () => {
    const body = {
      serviceProvisioningStatus: 'nonsense',
      serviceProvisioningErrors: 7,
      name: 'contoso',
      serviceDetails: {
        teamsTenantId: 'tenantIdString',
        teamsOperatorConnect: { syncEnabled: true, enabled: true, numberCount: 'many' },
        teamsDirectRouting: {
          syncEnabled: false,
          enabled: true,
          numberCount: 0,
          subdomainStatus: { a: 1 },
          configuration: { subdomain: 'contoso', subdomainTokens: tokens },
        },
        azureOperatorCallProtection: { enabled: true },
      },
    }
    expect(readAccount(body, 'contoso')).toEqual({
      name: 'contoso',
      correlationId: null,
      teamsTenantId: 'tenantIdString',
      services: {
        teamsOperatorConnect: { syncEnabled: true, enabled: true },
        teamsDirectRouting: {
          syncEnabled: false,
          enabled: true,
          configuration: { callScreening: true, subdomain: 'contoso', subdomainTokens: tokens },
        },
        azureOperatorCallProtection: { enabled: true },
      },
    })
  })

  it('may leave everything out that is optional, or have null there', () => {
    const empty = { name: 'contoso', correlationId: null, teamsTenantId: null, services: {} }
    expect(readAccount({}, 'contoso')).toEqual(empty)
    expect(readAccount({ name: null, correlationId: null, serviceDetails: null }, 'contoso')).toEqual(empty)
    const nulls = { teamsTenantId: null, teamsOperatorConnect: null, teamsDirectRouting: null }
    expect(readAccount({ serviceDetails: nulls }, 'contoso')).toEqual(empty)
    const configuration = { configuration: null, syncEnabled: false, enabled: false }
    expect(
      readAccount({ serviceDetails: { teamsDirectRouting: configuration } }, 'contoso').services.teamsDirectRouting,
    ).toEqual({ syncEnabled: false, enabled: false })
  })

  it('gets all its faults reported, each with its place, the value and what would be right', () => {
    const body = {
      name: 'Contoso',
      Name: 'contoso',
      correlationId: '',
      serviceDetails: {
        teamsOperatorConnect: { enabled: 'yes' },
        teamsDirectRouting: {
          syncEnabled: null,
          enabled: true,
          configuration: { subdomain: 'far-too-long-a-label', subdomainTokens: { region1Token: 'a b' } },
        },
        azureOperatorCallProtection: { syncEnabled: true, enabled: [1, { secret: 2 }] },
      },
    }
    expect(faultsOf(() => readAccount(body, 'contoso'))).toEqual({
      kind: 'invalid-body',
      target: 'Name',
      faults: [
        ['Name', '"Name" is not a property of the body: name is; letter case counts.'],
        ['correlationId', 'correlationId must be a text of 1 to 256 characters, not "".'],
        [
          'serviceDetails.teamsOperatorConnect.syncEnabled',
          'serviceDetails.teamsOperatorConnect.syncEnabled is required: true or false.',
        ],
        [
          'serviceDetails.teamsOperatorConnect.enabled',
          'serviceDetails.teamsOperatorConnect.enabled must be true or false, not "yes".',
        ],
        [
          'serviceDetails.teamsDirectRouting.syncEnabled',
          'serviceDetails.teamsDirectRouting.syncEnabled must be true or false, not null.',
        ],
        [
          'serviceDetails.teamsDirectRouting.configuration.subdomain',
          'serviceDetails.teamsDirectRouting.configuration.subdomain must be a text of 1 to 10 characters that matches ' +
            '^([A-Za-z0-9_-]+)$, not "far-too-long-a-label".',
        ],
        [
          'serviceDetails.teamsDirectRouting.configuration.subdomainTokens.region1Token',
          'serviceDetails.teamsDirectRouting.configuration.subdomainTokens.region1Token must be a text of 1 to 100 ' +
            'characters that matches ^([A-Za-z0-9=_-]+)$, not "a b".',
        ],
        [
          'serviceDetails.teamsDirectRouting.configuration.subdomainTokens.region2Token',
          'serviceDetails.teamsDirectRouting.configuration.subdomainTokens.region2Token is required: a text of 1 to ' +
            '100 characters that matches ^([A-Za-z0-9=_-]+)$.',
        ],
        [
          'serviceDetails.azureOperatorCallProtection.syncEnabled',
          '"syncEnabled" is not a property of serviceDetails.azureOperatorCallProtection: it has enabled, numberCount.',
        ],
        [
          'serviceDetails.azureOperatorCallProtection.enabled',
          'serviceDetails.azureOperatorCallProtection.enabled must be true or false, not an array.',
        ],
        ['name', 'name must be that of the path, "contoso", or be left out; it is "Contoso".'],
      ],
    })
  })

  it.each([[null], [[]], ['contoso'], [7], [true]])('is not %j', (body) => {
    const { kind, target, message } = refusal(() => readAccount(body, 'contoso'))
    expect([kind, target]).toEqual(['invalid-body', undefined])
    expect(message).toMatch(/^The body must be a JSON object, not /)
  })

  it('gets at most 100 faults reported, and only the beginning of a long value', () => {
    const body = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${'x'.repeat(500)}${index}`, 1]))
    const { faults } = refusal(() => readAccount(body, 'contoso'))
    expect(faults.length).toBeLessThanOrEqual(101)
    for (const { message, target } of faults) expect(message.length + (target?.length ?? 0)).toBeLessThan(400)
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('has no property %s', (name) => {
    const body = JSON.parse(`{"${name}": {"enabled": true}}`) as unknown
    expect(refusal(() => readAccount(body, 'contoso')).faults.map(({ target }) => target)).toEqual([name])
  })

  it.each(['\0', 'a\ud800b', '\udc00'])('keeps no text that a database could not: %j', (correlationId) => {
    expect(refusal(() => readAccount({ correlationId }, 'contoso')).target).toBe('correlationId')
  })

  it('counts characters, not halves of them', () => {
    expect(readAccount({ correlationId: '😀'.repeat(256) }, 'contoso').correlationId).toHaveLength(512)
    expect(refusal(() => readAccount({ correlationId: '😀'.repeat(257) }, 'contoso')).target).toBe('correlationId')
  })
})

describe('a number', () => {
  it('is read with defaults filled in, and an empty usage is the backend’s to refuse', () => {
    const configuration = { usage: '', choosableCapabilities: [], availableCapabilities: 1, acquiredCapabilities: null }
    const body = {
      serviceDetails: {
        teamsOperatorConnect: { enabled: true, assignmentStatus: 'unassigned', configuration },
        zoomPhoneCloudPeering: { enabled: false },
      },
      configuration: { customSipHeader: 'exampleHeaderContents' },
    }
    expect(readNumber(body, inPath)).toEqual({
      e164: '+123451',
      details: {
        serviceDetails: {
          teamsOperatorConnect: {
            enabled: true,
            assignmentStatus: 'unassigned',
            configuration: { usage: '', choosableCapabilities: [], allowTenantAddressUpdate: false },
          },
          zoomPhoneCloudPeering: { enabled: false },
        },
        configuration: { customSipHeader: 'exampleHeaderContents' },
      },
    })
  })

  it('may use no service, but says so', () => {
    expect(readNumber({ serviceDetails: {} }, inPath).details).toEqual({ serviceDetails: {} })
    expect(refusal(() => readNumber({}, inPath)).target).toBe('serviceDetails')
    expect(refusal(() => readNumber({ serviceDetails: null }, inPath)).target).toBe('serviceDetails')
  })

  it('is the one of the path', () => {
    const body = { telephoneNumber: '+123452', accountName: 'fabrikam', serviceDetails: {} }
    expect(refusal(() => readNumber(body, inPath)).faults.map(({ target }) => target)).toEqual([
      'telephoneNumber',
      'accountName',
    ])
    expect(readNumber({ ...body, telephoneNumber: '+123451', accountName: 'contoso' }, inPath).e164).toBe('+123451')
  })

  it.each(['teamsDirectRouting', 'zoomPhoneCloudPeering', 'azureOperatorCallProtection'])(
    'has no Teams settings in %s',
    (key) => {
      const body = { serviceDetails: { [key]: { ...oc(), assignmentStatus: 'assigned' } } }
      expect(refusal(() => readNumber(body, inPath)).faults.map(({ target }) => target)).toEqual([
        `serviceDetails.${key}.configuration`,
        `serviceDetails.${key}.assignmentStatus`,
      ])
    },
  )

  it('needs usage and capabilities once it is configured', () => {
    const body = { serviceDetails: { teamsPhoneMobile: { enabled: true, configuration: {} } } }
    expect(refusal(() => readNumber(body, inPath)).faults.map(({ target }) => target)).toEqual([
      'serviceDetails.teamsPhoneMobile.configuration.usage',
      'serviceDetails.teamsPhoneMobile.configuration.choosableCapabilities',
    ])
  })

  it('gets the faults of a list reported by their place in the list', () => {
    const body = { serviceDetails: { teamsOperatorConnect: oc({ choosableCapabilities: ['a', 7, null] }) } }
    expect(refusal(() => readNumber(body, inPath)).faults.map(({ target }) => target)).toEqual([
      'serviceDetails.teamsOperatorConnect.configuration.choosableCapabilities[1]',
      'serviceDetails.teamsOperatorConnect.configuration.choosableCapabilities[2]',
    ])
  })
})

describe('a batch', () => {
  const item = (telephoneNumber: string, more: object = {}) => ({ telephoneNumber, serviceDetails: {}, ...more })
  const many = (count: number) => Array.from({ length: count }, (_, index) => item(`+1206555${1000 + index}`))

  it('is read in its own order', () => {
    const numbers = [item('+1206555013'), item('+12', { accountName: 'contoso' })]
    expect(readBatch({ numbers }, 'contoso').map(({ e164 }) => e164)).toEqual(['+1206555013', '+12'])
    expect(readBatch({ numbers: many(100) }, 'contoso')).toHaveLength(100)
  })

  it.each([
    [{ numbers: [] }, 'batch-empty', 'numbers'],
    [{ numbers: many(101) }, 'batch-too-large', 'numbers'],
    [{ numbers: Array(5_000).fill('rubbish') }, 'batch-too-large', 'numbers'],
    [{}, 'invalid-body', 'numbers'],
    [{ numbers: null }, 'invalid-body', 'numbers'],
    [{ numbers: {} }, 'invalid-body', 'numbers'],
    [{ numbers: many(1), dryRun: true }, 'invalid-body', 'dryRun'],
    [[], 'invalid-body', undefined],
  ])('is refused as a whole before its items: %#', (body, kind, target) => {
    for (const read of [() => readBatch(body, 'contoso'), () => readIdentifiers(body)]) {
      expect(refusal(read)).toMatchObject({ kind, target })
    }
  })

  it('has one fault for each bad number, with its own faults inside', () => {
    const bad = { telephoneNumber: '0123', accountName: 'fabrikam', serviceDetails: { teamsOperatorConnect: {} } }
    const { kind, target, message, faults } = refusal(() =>
      readBatch({ numbers: [item('+1206555013'), bad, 'rubbish', item('+1206555013')] }, 'contoso'),
    )
    expect([kind, target]).toEqual(['invalid-body', 'numbers[1]'])
    expect(message).toBe('3 of 4 numbers are wrong; nothing was done.')
    expect(faults.map((fault) => [fault.kind, fault.target, fault.faults.map((inner) => inner.target)])).toEqual([
      [
        'invalid-body',
        'numbers[1]',
        [
          'numbers[1].telephoneNumber',
          'numbers[1].serviceDetails.teamsOperatorConnect.enabled',
          'numbers[1].accountName',
        ],
      ],
      ['invalid-body', 'numbers[2]', ['numbers[2]']],
      ['duplicate-in-batch', 'numbers[3]', []],
    ])
  })

  it('is refused as having duplicates when that is all', () => {
    const { kind, faults } = refusal(() => readBatch({ numbers: [item('+12'), item('+13'), item('+12')] }, 'contoso'))
    expect(kind).toBe('duplicate-in-batch')
    expect(faults.map(({ target, message }) => [target, message])).toEqual([
      ['numbers[2]', '+12 is at numbers[0] already; a number comes once.'],
    ])
  })

  it('reports every bad number even when each has many faults', () => {
    const bad = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`x${index}`, 1]))
    const { faults } = refusal(() => readBatch({ numbers: Array(100).fill(bad) }, 'contoso'))
    expect(faults).toHaveLength(100)
    expect(faults.every((fault) => fault.faults.length > 0)).toBe(true)
    expect(faults.flatMap((fault) => fault.faults).length).toBeLessThanOrEqual(200)
  })

  it('of identifiers counts a number once and takes no more than its number', () => {
    const numbers = [{ telephoneNumber: '+12' }, { telephoneNumber: '+13' }, { telephoneNumber: '+12' }]
    expect(readIdentifiers({ numbers })).toEqual(['+12', '+13'])
    expect(refusal(() => readIdentifiers({ numbers: [item('+12')] })).faults[0]?.faults[0]?.target).toBe(
      'numbers[0].serviceDetails',
    )
  })
})

describe('a patch of a request for information', () => {
  it('changes what it names, clears what it nulls and leaves the rest', () => {
    expect(readConsentPatch({ customerRelationship: { status: 'new status' } })).toEqual({ status: 'new status' })
    expect(readConsentPatch({ customerRelationship: { status: null, comment: '' } })).toEqual({
      status: null,
      comment: '',
    })
    expect(readConsentPatch({ customerRelationship: null })).toEqual({ status: null, comment: null })
    expect(readConsentPatch({ customerRelationship: {} })).toEqual({})
    expect(readConsentPatch({})).toEqual({})
  })

  it('passes over what only the backend says', () => {
    const customerRelationship = { comment: 'x', lastModifiedOn: 'yesterday' }
    expect(readConsentPatch({ id: 1, status: [], contacts: 'none', customerRelationship })).toEqual({ comment: 'x' })
  })

  it.each([
    [{ customerRelationship: { status: '' } }, 'customerRelationship.status'],
    [{ customerRelationship: { status: 'x'.repeat(257) } }, 'customerRelationship.status'],
    [{ customerRelationship: { comment: 'x'.repeat(4097) } }, 'customerRelationship.comment'],
    [{ customerRelationship: { reason: 'x' } }, 'customerRelationship.reason'],
    [{ customerRelationship: 'x' }, 'customerRelationship'],
    [{ stattus: 'x' }, 'stattus'],
    [null, undefined],
  ])('is refused: %#', (body, target) => {
    expect(refusal(() => readConsentPatch(body))).toMatchObject({ kind: 'invalid-body', target })
  })
})

describe('an action without a body', () => {
  it('takes nothing, or an object with nothing in it', () => {
    expect(() => readNothing(undefined)).not.toThrow()
    expect(() => readNothing({})).not.toThrow()
    expect(refusal(() => readNothing({ a: 1 }))).toMatchObject({ kind: 'invalid-body', target: 'a' })
    expect(refusal(() => readNothing([])).kind).toBe('invalid-body')
  })
})

describe('any JSON at all', () => {
  it('is read or refused as a body', () => {
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.record({ numbers: fc.array(fc.jsonValue()) }),
      fc.dictionary(fc.string(), fc.jsonValue()),
    )
    fc.assert(
      fc.property(bodies, (body) => {
        for (const read of [
          () => readAccount(body, 'contoso'),
          () => readNumber(body, inPath),
          () => readBatch(body, 'contoso'),
          () => readIdentifiers(body),
          () => readConsentPatch(body),
          () => readNothing(body),
        ]) {
          try {
            read()
          } catch (error) {
            expect(error).toBeInstanceOf(DomainError)
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})
