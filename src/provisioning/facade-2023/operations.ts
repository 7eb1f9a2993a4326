/** Every operation of api-version 2023-10-01. */
import Type from 'typebox'
import { act, list, put, read, remove, type OperationContract } from '../contract/operation.js'
import { TelephoneNumber } from '../contract/requests.js'
import { versions2023, type Version2023 } from '../contract/versions.js'
import * as models from './models.js'

const versions = versions2023
const optional = Type.Optional

const pageQuery = {
  maxpagesize: optional(
    Type.Integer({ format: 'int32', minimum: 1, maximum: 500, default: 200, description: 'Items in a page' }),
  ),
  skip: optional(Type.Integer({ format: 'int32', minimum: 0, default: 0, description: 'Items to pass over' })),
}

const account = '/accounts/{accountName}'
const numbers = '/account/{accountName}/numbers'
const number = `${numbers}/{phoneNumber}`
const batch = `${numbers}:batch`
const inPlural = (path: string): string[] => [path.replace('/account/', '/accounts/')]

export const listAccounts = list({
  operationId: 'Accounts_List',
  summary: 'The accounts, by name',
  path: '/accounts',
  versions,
  query: Type.Object(pageQuery),
  success: { statuses: { 200: 'A page of accounts' }, body: models.AccountsList },
})

export const getAccount = read({
  operationId: 'Account_Get',
  summary: 'One account',
  path: account,
  versions,
  conditional: false,
  query: Type.Object({
    status: optional(
      Type.Boolean({ default: false, description: 'Whether to return the state of its subdomain in DNS' }),
    ),
  }),
  success: { statuses: { 200: 'The account' }, body: models.AccountWithStatusResponse },
  refusals: ['account-not-found'],
})

export const createOrReplaceAccount = put({
  operationId: 'Account_CreateOrReplace',
  summary: 'Create an account or replace it',
  path: account,
  versions,
  body: { schema: models.AccountDetailsRequest },
  success: { statuses: { 200: 'Replaced', 201: 'Created' }, body: models.AccountResponse },
  refusals: ['not-representable', 'service-in-use', 'subdomain-in-use'],
})

export const deleteAccount = remove({
  operationId: 'Account_Delete',
  summary: 'Delete an account that has no numbers',
  path: account,
  versions,
  conditional: false,
  success: { statuses: { 204: 'Deleted, or not there' } },
  refusals: ['account-has-numbers'],
})

export const listAccountNumbers = list({
  operationId: 'Account_ListNumbers',
  summary: 'The numbers of an account',
  path: numbers,
  aliases: inPlural(numbers),
  versions,
  query: Type.Object(pageQuery),
  success: { statuses: { 200: 'A page of numbers' }, body: models.NumbersList },
  refusals: ['account-not-found'],
})

const numberRefusals = [
  'account-not-found',
  'service-not-enabled',
  'conflicting-services',
  'sip-header-not-supported',
  'number-in-use',
  'not-representable',
] as const

export const createOrReplaceNumbers = act({
  operationId: 'Account_CreateOrReplaceNumbers',
  summary: 'Create or replace up to 100 numbers of an account, all of them or none',
  path: batch,
  aliases: inPlural(batch),
  versions,
  body: { schema: models.BatchNumbersRequest },
  success: { statuses: { 200: 'Done; the numbers, in the order of the request' }, body: models.BatchNumbersResponse },
  refusals: [...numberRefusals, 'batch-empty', 'batch-too-large', 'duplicate-in-batch'],
})

export const getNumber = read({
  operationId: 'Number_Get',
  summary: 'One number of an account',
  path: number,
  aliases: inPlural(number),
  versions,
  conditional: false,
  success: { statuses: { 200: 'The number' }, body: models.NumberResponse },
  refusals: ['account-not-found', 'number-not-found'],
})

export const createOrReplaceNumber = put({
  operationId: 'Number_CreateOrReplace',
  summary: 'Put a number on an account, or replace it',
  path: number,
  aliases: inPlural(number),
  versions,
  body: { schema: models.NumberDetailsRequest },
  success: { statuses: { 200: 'Replaced', 201: 'Created' }, body: models.NumberResponse },
  refusals: numberRefusals,
})

export const deleteNumber = remove({
  operationId: 'Number_Delete',
  summary: 'Take a number off an account',
  path: number,
  aliases: inPlural(number),
  versions,
  conditional: false,
  success: { statuses: { 204: 'Deleted, or not there' } },
})

export const listNumbers = list({
  operationId: 'Numbers_List',
  summary: 'The numbers of all accounts',
  path: '/numbers',
  versions,
  query: Type.Object({ number: optional(TelephoneNumber), ...pageQuery }),
  success: { statuses: { 200: 'A page of numbers' }, body: models.NumbersList },
})

export const operations: readonly OperationContract<Version2023>[] = [
  listAccounts,
  getAccount,
  createOrReplaceAccount,
  deleteAccount,
  listAccountNumbers,
  createOrReplaceNumbers,
  getNumber,
  createOrReplaceNumber,
  deleteNumber,
  listNumbers,
]
