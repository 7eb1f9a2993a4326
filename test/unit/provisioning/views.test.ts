/** What accounts, numbers and what backends tell look like on the wire. */
import type { TObject } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import type { AccountService, AccountWithStatus } from '../../../src/accounts/account.js'
import { noCounts, type AccountNumber, type NumberDetails } from '../../../src/accounts/account-number.js'
import { namesOf } from '../../../src/accounts/subdomain.js'
import { serviceKeys } from '../../../src/backends/port/services.js'
import { readAccount, readNumber } from '../../../src/provisioning/body/read-body.js'
import * as models from '../../../src/provisioning/contract/models.js'
import * as models2023 from '../../../src/provisioning/facade-2023/models.js'
import {
  accountOf2023,
  assertRepresentableAccount,
  assertRepresentableNumber,
  batchOf2023,
  numberOf2023,
} from '../../../src/provisioning/facade-2023/read.js'
import {
  accountView2023,
  accountWithStatusView2023,
  numberView2023,
  tokensInZone,
} from '../../../src/provisioning/facade-2023/views.js'
import {
  accountView,
  availableCapabilitiesView,
  capabilityPlansView,
  civicAddressView,
  consentView,
  numberView,
} from '../../../src/provisioning/wire/views.js'
import type { SyncState } from '../../../src/sync/sync.js'

const at = new Date('2024-05-07T11:15:10.519Z')
const synced: SyncState = { status: 'synced', errors: [], observed: {}, observedAt: null }
const refused = {
  code: 'InvalidRequest',
  message: 'Invalid/missing required configuration attributes: Usage',
  target: 'oc',
}

const subdomainTokens = { region1Token: 'region1TokenValue', region2Token: 'region2TokenValue' }
const directRouting: AccountService = {
  syncEnabled: true,
  enabled: true,
  configuration: { callScreening: true, subdomain: 'contoso', subdomainTokens },
}

const anAccount = (more: Partial<AccountWithStatus> = {}): AccountWithStatus => ({
  id: '9a4f5a52-54e8-4f3c-bb5b-0d76ef8b6a50',
  name: 'contoso',
  correlationId: null,
  teamsTenantId: null,
  services: {},
  modifiedAt: at,
  changedAt: at,
  counts: noCounts(),
  sync: synced,
  ...more,
})

const syncing = { teamsOperatorConnect: { syncEnabled: true, enabled: true } }
const configuration = {
  usage: 'CallingUserAssignment',
  choosableCapabilities: ['InboundCalling'],
  allowTenantAddressUpdate: false,
}

const aNumber = (details: NumberDetails, more: Partial<AccountNumber> = {}): AccountNumber => ({
  e164: '+123451',
  account: anAccount({ services: syncing }),
  details,
  modifiedAt: at,
  changedAt: at,
  sync: synced,
  ...more,
})

const rules = { backends: ['oc' as const, 'tpm' as const], initialAssignmentStatus: 'assigned' }

/** That a view is what its schema says: only its properties, in its order, of its types. */
function expectShape(schema: TObject, view: object): void {
  expect(Compile(schema).Errors(view)).toEqual([])
  const walk = (part: { properties?: Record<string, object>; items?: object }, value: unknown): void => {
    if (Array.isArray(value)) value.forEach((item) => walk(part.items ?? {}, item))
    if (!part.properties || typeof value !== 'object' || value === null) return
    const known = Object.keys(part.properties)
    expect(Object.keys(value)).toEqual(known.filter((name) => name in value))
    for (const [name, inner] of Object.entries(value)) walk(part.properties[name] ?? {}, inner)
  }
  walk(schema, view)
  expect(JSON.parse(JSON.stringify(view))).toEqual(view)
}

describe('an account', () => {
  it('for Direct Routing shows its configuration, its count and how its subdomain stands', () => {
    const view = accountView(
      anAccount({ services: { teamsDirectRouting: directRouting } }),
      'provisioned',
      '2024-02-29',
    )
    expectShape(models.Account, view)
    expect(view).toEqual({
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      name: 'contoso',
      serviceDetails: {
        teamsDirectRouting: {
          syncEnabled: true,
          enabled: true,
          numberCount: 0,
          configuration: { callScreening: true, subdomain: 'contoso', subdomainTokens },
          subdomainStatus: 'provisioned',
        },
      },
    })
  })

  it('shows every service with its count, and of Call Protection no sync', () => {
    const services = Object.fromEntries(
      serviceKeys.map((key) => [
        key,
        key === 'azureOperatorCallProtection' ? { enabled: true } : { syncEnabled: false, enabled: true },
      ]),
    )
    const counts = { ...noCounts(), total: 9, teamsPhoneMobile: 3, azureOperatorCallProtection: 2 }
    const account = anAccount({ correlationId: 'crm-7', teamsTenantId: 'tenantIdString', services, counts })
    const view = accountView(account, 'notProvisioned', '2024-02-29-preview')
    expectShape(models.Account, view)
    expect(view).toMatchObject({ correlationId: 'crm-7', serviceProvisioningErrors: [] })
    expect(view.serviceDetails).toEqual({
      teamsTenantId: 'tenantIdString',
      teamsOperatorConnect: { syncEnabled: false, enabled: true, numberCount: 0 },
      teamsDirectRouting: { syncEnabled: false, enabled: true, numberCount: 0, subdomainStatus: 'notProvisioned' },
      teamsPhoneMobile: { syncEnabled: false, enabled: true, numberCount: 3 },
      zoomPhoneCloudPeering: { syncEnabled: false, enabled: true, numberCount: 0 },
      azureOperatorCallProtection: { enabled: true, numberCount: 2 },
    })
  })

  it('has null in place of no errors in one version and an empty list in the other', () => {
    const sync = { ...synced, status: 'failed' as const, errors: [refused] }
    expect(accountView(anAccount(), 'notProvisioned', '2024-02-29').serviceProvisioningErrors).toBeNull()
    expect(accountView(anAccount(), 'notProvisioned', '2024-02-29-preview').serviceProvisioningErrors).toEqual([])
    for (const version of ['2024-02-29', '2024-02-29-preview'] as const) {
      expect(accountView(anAccount({ sync }), 'notProvisioned', version).serviceProvisioningErrors).toEqual([refused])
    }
  })

  it('can be sent back as it was shown', () => {
    const account = anAccount({
      teamsTenantId: 'tenantIdString',
      services: { ...syncing, teamsDirectRouting: directRouting },
    })
    const { name, correlationId, teamsTenantId, services } = account
    expect(readAccount(accountView(account, 'inconsistent', '2024-02-29'), 'contoso')).toEqual({
      name,
      correlationId,
      teamsTenantId,
      services,
    })
  })
})

describe('a number', () => {
  const oc = (more: object = {}): NumberDetails => ({
    serviceDetails: { teamsOperatorConnect: { enabled: true, configuration, ...more } },
  })
  const shown = (number: AccountNumber, more: object = {}) => {
    const view = numberView(number, '2024-02-29', { ...rules, ...more })
    expectShape(models.Number, view)
    return view.serviceDetails.teamsOperatorConnect
  }
  const observed = (state: object): SyncState => ({ ...synced, observed: { oc: state }, observedAt: at })

  it('shows what was put, with its refusal, and nothing that is absent', () => {
    const details = {
      serviceDetails: { teamsDirectRouting: { enabled: true } },
      configuration: { customSipHeader: 'x' },
    }
    const sync: SyncState = { ...synced, status: 'failed', errors: [refused] }
    const view = numberView(aNumber(details, { sync }), '2024-02-29', rules)
    expectShape(models.Number, view)
    expect(view).toEqual({
      serviceProvisioningStatus: 'failed',
      serviceProvisioningErrors: [refused],
      telephoneNumber: '+123451',
      accountName: 'contoso',
      serviceDetails: { teamsDirectRouting: { enabled: true } },
      configuration: { customSipHeader: 'x' },
    })
  })

  it('is assigned as its backend reports; before that as was said, else as is usual', () => {
    expect(shown(aNumber(oc()))?.assignmentStatus).toBe('assigned')
    expect(shown(aNumber(oc()), { initialAssignmentStatus: 'unassigned' })?.assignmentStatus).toBe('unassigned')
    expect(shown(aNumber(oc({ assignmentStatus: 'unassigned' })))?.assignmentStatus).toBe('unassigned')
    const sync = observed({ assignmentStatus: 'UserAssigned' })
    expect(shown(aNumber(oc({ assignmentStatus: 'unassigned' }), { sync }))?.assignmentStatus).toBe('UserAssigned')
  })

  it('shows only what was said when it is not passed on, whatever a backend once reported', () => {
    const sync = observed({ assignmentStatus: 'assigned', acquiredCapabilities: ['Mobile'] })
    const off = anAccount({ services: { teamsOperatorConnect: { syncEnabled: false, enabled: true } } })
    const cases: [AccountNumber, object][] = [
      [aNumber(oc(), { sync, account: off }), {}],
      [aNumber(oc(), { sync }), { backends: ['tpm'] }],
      [aNumber(oc({ enabled: false }), { sync }), {}],
    ]
    for (const [number, more] of cases) {
      const enabled = number.details.serviceDetails.teamsOperatorConnect?.enabled
      expect(shown(number, more)).toEqual({ enabled, configuration })
      const said = { ...number, details: oc({ enabled, assignmentStatus: 'unassigned' }) }
      expect(shown(said, more)?.assignmentStatus).toBe('unassigned')
    }
  })

  it('shows the capabilities that its backend reports inside its configuration, if it has one', () => {
    const sync = observed({ acquiredCapabilities: ['Mobile'], availableCapabilities: ['InboundCalling', 'Mobile'] })
    expect(shown(aNumber(oc(), { sync }))?.configuration).toEqual({
      ...configuration,
      acquiredCapabilities: ['Mobile'],
      availableCapabilities: ['InboundCalling', 'Mobile'],
    })
    expect(shown(aNumber(oc({ configuration: undefined }), { sync }))).toEqual({
      enabled: true,
      assignmentStatus: 'assigned',
    })
  })

  it('can be sent back as it was shown', () => {
    const sync = observed({ assignmentStatus: 'UserAssigned', acquiredCapabilities: ['Mobile'] })
    const more = { additionalUsages: ['x'], civicAddressId: 'a', locationId: 'b', displayedCountryCode: '1' }
    const details = oc({ configuration: { ...configuration, ...more } })
    const view = numberView(aNumber(details, { sync }), '2024-02-29', rules)
    expectShape(models.Number, view)
    expect(readNumber(view, { accountName: 'contoso', e164: '+123451' })).toEqual({
      e164: '+123451',
      details: oc({ configuration: { ...configuration, ...more }, assignmentStatus: 'UserAssigned' }),
    })
  })
})

describe('reports of backends', () => {
  const consent = {
    id: 'contoso',
    tenantId: 'contosoTenantId',
    operatorId: 'operatorId',
    status: 'active',
    consentedOn: at,
    lastModifiedOn: at,
    consentedCountries: ['US'],
    contacts: [{ fullName: 'Example Name', email: 'example@contoso.com', companySize: 'L1_U1' }],
    relationship: { status: 'from the backend' },
  }

  it('of a request for information is shown with the answer that the operator gave last', () => {
    const relationship = {
      status: 'new status',
      comment: 'new comment',
      lastModifiedOn: new Date('2024-05-07T12:15:10.520Z'),
    }
    const sync = { ...synced, status: 'pending' as const }
    const view = consentView({ consent, accountName: 'contoso', sync, relationship, changedAt: at }, '2024-02-29')
    expectShape(models.RequestForInformation, view)
    expect(view).toEqual({
      serviceProvisioningStatus: 'pending',
      serviceProvisioningErrors: null,
      id: 'contoso',
      tenantId: 'contosoTenantId',
      accountName: 'contoso',
      productContext: 'teams',
      operatorId: 'operatorId',
      status: 'active',
      consentedOn: '2024-05-07T11:15:10.519Z',
      lastModifiedOn: '2024-05-07T11:15:10.519Z',
      consentedCountries: ['US'],
      contacts: [{ fullName: 'Example Name', email: 'example@contoso.com', companySize: 'L1_U1' }],
      customerRelationship: {
        status: 'new status',
        comment: 'new comment',
        lastModifiedOn: '2024-05-07T12:15:10.520Z',
      },
    })
  })

  it('of a request without account, operator, dates or answer leaves these out', () => {
    const bare = { id: 'x', tenantId: 't', status: 'removed', consentedCountries: [], contacts: [], relationship: {} }
    const view = consentView({ consent: bare, sync: synced, relationship: {}, changedAt: at }, '2024-02-29-preview')
    expectShape(models.RequestForInformation, view)
    expect(Object.keys(view)).toEqual([
      'serviceProvisioningStatus',
      'serviceProvisioningErrors',
      'id',
      'tenantId',
      'productContext',
      'status',
      'consentedCountries',
      'contacts',
    ])
  })

  it('of an address is shown in the documented order, with no properties of its own making', () => {
    const address = {
      locations: [{ isDefault: true, civicAddressId: 'a', id: 'l', elin: '7', extra: 1 }],
      longitude: '2',
      latitude: '1',
      validationStatus: 'notValidated' as const,
      defaultLocationId: 'l',
      country: 'US',
      id: 'a',
      etag: 'x',
    }
    const view = civicAddressView(address)
    expectShape(models.CivicAddress, view)
    expect(view).toEqual({
      id: 'a',
      country: 'US',
      defaultLocationId: 'l',
      validationStatus: 'notValidated',
      locations: [{ id: 'l', civicAddressId: 'a', isDefault: true, elin: '7' }],
      latitude: '1',
      longitude: '2',
    })
  })

  it('of capabilities is shown as plans and as a list', () => {
    const plan = { name: 'Calling', usage: 'CallingUserAssignment', offerTypes: ['Calling'], supportsTollFree: false }
    expectShape(models.TeamsCapabilityPlans, capabilityPlansView([plan]))
    expect(capabilityPlansView([plan])).toEqual({ capabilityPlans: [plan] })
    expect(availableCapabilitiesView(['UserAssignment'])).toEqual({ availableCapabilities: ['UserAssignment'] })
  })
})

describe('api-version 2023-10-01', () => {
  const details = { directRouting: { callScreening: false, subdomain: 'contoso', subdomainTokens } }

  it('gives an account every service that it could have, without sync', () => {
    const on = { syncEnabled: false, enabled: true }
    expect(accountOf2023({}, 'contoso')).toEqual({
      name: 'contoso',
      correlationId: null,
      teamsTenantId: null,
      services: { teamsOperatorConnect: on, zoomPhoneCloudPeering: on },
    })
    expect(accountOf2023(details, 'contoso').services.teamsDirectRouting).toEqual({
      ...on,
      configuration: details.directRouting,
    })
    expect(() => accountOf2023({ directRouting: { subdomain: 'x', subdomainTokens } }, 'contoso')).toThrow(
      'directRouting.callScreening is required',
    )
    expect(() => accountOf2023({ name: 'contoso' }, 'contoso')).toThrow('"name" is not a property of the body')
  })

  it('shows an account with its tag inside, and its DNS only when asked', () => {
    const account = accountOf2023(details, 'contoso')
    const view = accountView2023(account, 'abc.def')
    expectShape(models2023.AccountResponse, view)
    expect(view).toEqual({ etag: 'abc.def', name: 'contoso', details })
    const tokens = tokensInZone(
      namesOf({ baseDomain: 'voice.example', pattern: '1r<n>', count: 2, enforceLength: false }, 'Contoso'),
      new Map([['contoso.1r2.voice.example', ['old', 'older']]]),
    )
    const withStatus = accountWithStatusView2023(account, 'abc.def', { status: 'inconsistent', tokens })
    expectShape(models2023.AccountWithStatusResponse, withStatus)
    expect(withStatus).toEqual({
      ...view,
      directRoutingProvisioningState: { subdomainStatus: 'Inconsistent', subdomainTokens: { region2Token: 'old' } },
    })
    const none = accountOf2023({}, 'contoso')
    expect(accountWithStatusView2023(none, 'x', { status: 'notProvisioned', tokens: {} })).toEqual({
      etag: 'x',
      name: 'contoso',
      details: {},
      directRoutingProvisioningState: { subdomainStatus: 'NotProvisioned' },
    })
  })

  it('takes a number without services for one of Operator Connect', () => {
    expect(numberOf2023({}, '+123451')).toEqual({
      e164: '+123451',
      details: {
        serviceDetails: {
          teamsOperatorConnect: { enabled: true },
          teamsDirectRouting: { enabled: false },
          zoomPhoneCloudPeering: { enabled: false },
        },
      },
    })
  })

  it('gives a number back as it was put', () => {
    const services = { teamsDrEnabled: true, teamsOcEnabled: false, zoomEnabled: false }
    const body = { services, configuration: { customSipHeader: 'x' } }
    const number = numberOf2023(body, '+123451')
    const view = numberView2023({ ...number, account: { name: 'contoso' } }, 'abc.def')
    expectShape(models2023.NumberResponse, view)
    expect(view).toEqual({ etag: 'abc.def', accountName: 'contoso', phoneNumber: '+123451', details: body })
    expect(batchOf2023({ numbers: [{ phoneNumber: '+123451', details: body }] })).toEqual([number])
  })

  it('refuses what it does not know, with the place', () => {
    const services = { teamsDrEnabled: true, teamsOcEnabled: false, zoomEnabled: false }
    expect(() => numberOf2023({ services: { ...services, tpmEnabled: true } }, '+12')).toThrow('"tpmEnabled" is not')
    expect(() => numberOf2023({ services: { teamsDrEnabled: true } }, '+12')).toThrow('teamsOcEnabled is required')
    const numbers = [
      { phoneNumber: '+12', details: {} },
      { phoneNumber: '+12', details: {} },
    ]
    expect(() => batchOf2023({ numbers })).toThrow(expect.objectContaining({ kind: 'duplicate-in-batch' }))
    expect(() => batchOf2023({ numbers: [] })).toThrow(expect.objectContaining({ kind: 'batch-empty' }))
  })

  it('can replace what it made itself, and what says no more than it can', () => {
    expect(() => assertRepresentableAccount(accountOf2023(details, 'contoso'))).not.toThrow()
    expect(() => assertRepresentableAccount(anAccount())).not.toThrow()
    const off = { azureOperatorCallProtection: { enabled: false } }
    expect(() => assertRepresentableAccount(anAccount({ services: off }))).not.toThrow()
    expect(() => assertRepresentableNumber(numberOf2023({}, '+12'))).not.toThrow()
    expect(() => assertRepresentableNumber(aNumber({ serviceDetails: {} }))).not.toThrow()
  })

  it.each<[Partial<AccountWithStatus>, string]>([
    [{ teamsTenantId: 'x' }, 'serviceDetails.teamsTenantId'],
    [{ correlationId: 'x' }, 'correlationId'],
    [{ services: { teamsPhoneMobile: { syncEnabled: false, enabled: true } } }, 'serviceDetails.teamsPhoneMobile'],
    [{ services: { azureOperatorCallProtection: { enabled: true } } }, 'serviceDetails.azureOperatorCallProtection'],
    [{ services: syncing }, 'serviceDetails.teamsOperatorConnect.syncEnabled'],
    [
      { services: { zoomPhoneCloudPeering: { syncEnabled: false, enabled: false } } },
      'serviceDetails.zoomPhoneCloudPeering.enabled',
    ],
    [{ services: { teamsDirectRouting: { syncEnabled: false, enabled: true } } }, 'serviceDetails.teamsDirectRouting'],
  ])('does not replace an account that has more: %#', (more, target) => {
    expect(() => assertRepresentableAccount(anAccount(more))).toThrow(
      expect.objectContaining({
        kind: 'not-representable',
        target,
        message: expect.stringContaining(target) as string,
      }),
    )
  })

  it.each<[NumberDetails['serviceDetails'], string]>([
    [{ teamsPhoneMobile: { enabled: true } }, 'serviceDetails.teamsPhoneMobile'],
    [{ azureOperatorCallProtection: { enabled: true } }, 'serviceDetails.azureOperatorCallProtection'],
    [{ teamsOperatorConnect: { enabled: true, configuration } }, 'serviceDetails.teamsOperatorConnect.configuration'],
    [
      { teamsOperatorConnect: { enabled: false, assignmentStatus: 'assigned' } },
      'serviceDetails.teamsOperatorConnect.assignmentStatus',
    ],
  ])('does not replace a number that has more: %#', (serviceDetails, target) => {
    expect(() => assertRepresentableNumber(aNumber({ serviceDetails }))).toThrow(
      expect.objectContaining({ kind: 'not-representable', target }),
    )
  })
})
