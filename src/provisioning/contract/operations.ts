/** Every operation of api-versions 2024-02-29 and 2024-02-29-preview; those of 2023-10-01 are in `facade-2023/`. */
import Type from 'typebox'
import * as models from './models.js'
import { act, list, patch, put, read, remove, type OperationContract } from './operation.js'
import * as requests from './requests.js'
import { versions2024, type Version2024 } from './versions.js'

const versions = versions2024
const optional = Type.Optional

const listQuery = Type.Object({
  top: optional(Type.Integer({ format: 'int32', minimum: 1, description: 'The most items over all pages' })),
  skip: optional(Type.Integer({ format: 'int32', minimum: 0, default: 0, description: 'Items to pass over' })),
  maxpagesize: optional(
    Type.Integer({ format: 'int32', minimum: 1, default: 200, description: 'Items in a page; 500 at the most' }),
  ),
  filter: optional(Type.String({ description: "Which items are wanted, such as startswith(name,'contoso')" })),
  countRecords: optional(
    Type.Boolean({ default: false, description: 'Whether x-ms-record-count has the number of matching items' }),
  ),
})

const account = '/accounts/{accountName}'
const numbers = `${account}/numbers`
const number = `${numbers}/{telephoneNumber}`
const addresses = `${account}/teamsCivicAddresses`
const rfis = '/teamsRequestsForInformation'
const rfi = `${rfis}/{tenantId}`
/** The prose documentation and 2023-10-01 have numbers under `/account/`. */
const inSingular = (path: string): string[] => [path.replace('/accounts/', '/account/')]

const teamsRefusals = ['account-not-found', 'tenant-required', 'backend-failed'] as const

export const listAccounts = list({
  operationId: 'Accounts_List',
  summary: 'The accounts, by name',
  path: '/accounts',
  versions,
  query: listQuery,
  success: { statuses: { 200: 'A page of accounts' }, body: models.PagedAccounts },
})

export const getAccount = read({
  operationId: 'Accounts_Get',
  summary: 'One account, with its sync status and how many numbers use each service',
  path: account,
  versions,
  success: { statuses: { 200: 'The account' }, body: models.Account },
  refusals: ['account-not-found'],
})

export const createOrReplaceAccount = put({
  operationId: 'Accounts_CreateOrReplace',
  summary: 'Create an account, or replace all that can be written of it',
  path: account,
  versions,
  body: { schema: requests.AccountRequest },
  success: { statuses: { 200: 'Replaced', 201: 'Created' }, body: models.Account },
  refusals: ['tenant-required', 'tenant-in-use', 'service-in-use', 'subdomain-in-use'],
})

export const deleteAccount = remove({
  operationId: 'Accounts_Delete',
  summary: 'Delete an account',
  path: account,
  versions,
  query: Type.Object({
    deleteNumbers: optional(
      Type.Boolean({ default: false, description: 'Delete its numbers too; otherwise it must have none' }),
    ),
  }),
  success: { statuses: { 204: 'Deleted, or not there' } },
  refusals: ['account-has-numbers'],
})

export const createOrUpdateNumbers = act({
  operationId: 'Accounts_CreateOrUpdateNumbers',
  summary: 'Create or replace up to 100 numbers of an account, all of them or none',
  path: `${account}:createOrUpdateNumbers`,
  versions,
  body: { schema: requests.BatchNumbersRequest },
  success: { statuses: { 200: 'Done; the numbers, in the order of the request' }, body: models.BatchNumbers },
  refusals: [
    'account-not-found',
    'batch-empty',
    'batch-too-large',
    'duplicate-in-batch',
    'service-not-enabled',
    'conflicting-services',
    'sip-header-not-supported',
    'number-in-use',
  ],
})

export const deleteNumbers = act({
  operationId: 'Accounts_DeleteNumbers',
  summary: 'Delete up to 100 numbers of an account; those that are not on it are passed over',
  path: `${account}:deleteNumbers`,
  versions,
  role: 'Delete',
  body: { schema: requests.NumberIdentifiers },
  success: { statuses: { 204: 'Deleted' } },
  refusals: ['account-not-found', 'batch-empty', 'batch-too-large'],
})

export const getTeamsCapabilityPlans = act({
  operationId: 'Accounts_GetTeamsCapabilityPlans',
  summary: 'The usages and capabilities that numbers of an account can have',
  path: `${account}:getTeamsCapabilityPlans`,
  versions,
  role: 'Read',
  kind: 'read',
  body: { schema: requests.NoContent, mayBeEmpty: true },
  success: { statuses: { 200: 'The plans' }, body: models.TeamsCapabilityPlans },
  refusals: teamsRefusals,
})

export const getTeamsAvailableCapabilities = act({
  operationId: 'Accounts_GetTeamsAvailableCapabilities',
  summary: 'The capabilities that all of up to 100 numbers of an account can have',
  path: `${account}:getTeamsAvailableCapabilities`,
  versions,
  role: 'Read',
  kind: 'read',
  body: { schema: requests.NumberIdentifiers },
  success: { statuses: { 200: 'The capabilities' }, body: models.TeamsAvailableCapabilities },
  refusals: [...teamsRefusals, 'batch-empty', 'batch-too-large'],
})

export const listAccountNumbers = list({
  operationId: 'Accounts_ListNumbers',
  summary: 'The numbers of an account',
  path: numbers,
  aliases: inSingular(numbers),
  versions,
  query: listQuery,
  success: { statuses: { 200: 'A page of numbers' }, body: models.PagedNumbers },
  refusals: ['account-not-found'],
})

export const getNumber = read({
  operationId: 'Accounts_GetNumber',
  summary: 'One number of an account, with its sync status',
  path: number,
  aliases: inSingular(number),
  versions,
  success: { statuses: { 200: 'The number' }, body: models.Number },
  refusals: ['account-not-found', 'number-not-found'],
})

export const createOrReplaceNumber = put({
  operationId: 'Accounts_CreateOrReplaceNumber',
  summary: 'Put a number on an account, or replace all that can be written of it',
  path: number,
  aliases: inSingular(number),
  versions,
  body: { schema: requests.NumberRequest },
  success: { statuses: { 200: 'Replaced', 201: 'Created' }, body: models.Number },
  refusals: [
    'account-not-found',
    'service-not-enabled',
    'conflicting-services',
    'sip-header-not-supported',
    'number-in-use',
  ],
})

export const deleteNumber = remove({
  operationId: 'Accounts_DeleteNumber',
  summary: 'Take a number off an account',
  path: number,
  aliases: inSingular(number),
  versions,
  success: { statuses: { 204: 'Deleted, or not there' } },
})

export const listTeamsCivicAddresses = list({
  operationId: 'Accounts_ListTeamsCivicAddresses',
  summary: 'The emergency addresses of an account, as its Teams tenant keeps them',
  path: addresses,
  versions,
  query: listQuery,
  success: { statuses: { 200: 'A page of addresses' }, body: models.PagedCivicAddresses },
  refusals: teamsRefusals,
})

export const getTeamsCivicAddress = read({
  operationId: 'Accounts_GetTeamsCivicAddress',
  summary: 'One emergency address of an account',
  path: `${addresses}/{civicAddressId}`,
  versions,
  success: { statuses: { 200: 'The address' }, body: models.CivicAddress },
  refusals: [...teamsRefusals, 'civic-address-not-found'],
})

export const listNumbers = list({
  operationId: 'ListNumbers',
  summary: 'The numbers of all accounts',
  path: '/numbers',
  versions,
  query: listQuery,
  success: { statuses: { 200: 'A page of numbers' }, body: models.PagedNumbers },
})

export const listRequestsForInformation = list({
  operationId: 'TeamsRequestsForInformation_List',
  summary: 'The requests for information: customers that want to be served by this operator',
  path: rfis,
  versions,
  query: listQuery,
  success: { statuses: { 200: 'A page of requests' }, body: models.PagedRequestsForInformation },
  refusals: ['backend-failed'],
})

export const getRequestForInformation = read({
  operationId: 'TeamsRequestsForInformation_GetRequestForInformation',
  summary: 'The request for information of one Teams tenant',
  path: rfi,
  versions,
  success: { statuses: { 200: 'The request' }, body: models.RequestForInformation },
  refusals: ['consent-not-found', 'backend-failed'],
})

export const updateRequestForInformation = patch({
  operationId: 'TeamsRequestsForInformation_CreateOrUpdateRequestForInformation',
  summary: "Set the operator's response to a customer's request",
  path: rfi,
  versions,
  body: { schema: requests.RequestForInformationPatch, mergePatch: true },
  success: { statuses: { 200: 'Changed' }, body: models.RequestForInformation },
  refusals: ['consent-not-found', 'backend-failed'],
})

export const operations: readonly OperationContract<Version2024>[] = [
  listAccounts,
  getAccount,
  createOrReplaceAccount,
  deleteAccount,
  createOrUpdateNumbers,
  deleteNumbers,
  getTeamsCapabilityPlans,
  getTeamsAvailableCapabilities,
  listAccountNumbers,
  getNumber,
  createOrReplaceNumber,
  deleteNumber,
  listTeamsCivicAddresses,
  getTeamsCivicAddress,
  listNumbers,
  listRequestsForInformation,
  getRequestForInformation,
  updateRequestForInformation,
]
