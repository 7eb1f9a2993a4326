/** Jobs, operations and items of the sync, a line each. */
import type { JobJson } from '../client/jobs.js'
import { instant, printable } from './words.js'

/** An operation as the Operator API lists it. */
export interface OperationJson {
  id: string
  resource: string
  kind: string
  status: string
  createdAt: string
  call: { stage: string; lastError: string | null } | null
  error: { code: string; message: string } | null
}

/** An item of the sync as the Operator API lists it. */
export interface ItemJson {
  service: string
  kind: string
  key: string
  account: string | null
  goal: string
  status: string
  since: string
  lastError: { code: string | null; message: string } | null
}

export function jobLine({ id, kind, state, createdAt, createdBy, progress, refused, error }: JobJson): string {
  const { done, total, unit } = progress
  const far = total === null ? `${done} ${unit}` : `${done} of ${total} ${unit}`
  const bad = refused === 0 ? '' : `, ${refused} rows refused`
  const why = error === null ? '' : `: ${printable(error.message)}`
  return `${id}  ${instant(createdAt)}  ${kind} by ${printable(createdBy)}: ${state}, ${far}${bad}${why}`
}

export function operationLine({ id, resource, kind, status, createdAt, call, error }: OperationJson): string {
  const waits =
    call === null ? '' : `, ${call.stage} comes next${call.lastError === null ? '' : `: ${printable(call.lastError)}`}`
  const why = error === null ? '' : `: ${printable(`${error.code}: ${error.message}`)}`
  return `${id}  ${instant(createdAt)}  ${kind} of ${printable(resource)}: ${status}${waits}${why}`
}

export function itemLine({ service, kind, key, account, goal, status, since, lastError }: ItemJson): string {
  const of = account === null ? printable(key) : `${printable(key)} of account ${account}`
  const why = lastError === null ? '' : `: ${printable([lastError.code, lastError.message].filter(Boolean).join(': '))}`
  const wanted = goal === 'absent' ? ' to be removed' : ''
  return `${service.padEnd(4)}  ${status} since ${instant(since)}  ${kind} ${of}${wanted}${why}`
}
