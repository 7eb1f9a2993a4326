/** Errors for accounts and numbers that don't exist. */
import { DomainError } from '../../errors.js'

export const accountNotFound = (name: string): DomainError =>
  new DomainError('account-not-found', `There is no account ${name}.`, { target: 'accountName' })

export const numberNotFound = (e164: string, accountName: string): DomainError =>
  new DomainError('number-not-found', `There is no number ${e164} on account ${accountName}.`, {
    target: 'telephoneNumber',
  })
