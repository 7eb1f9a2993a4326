/** Every operation of the Operator API: the one source of its routes, its checks and its OpenAPI document. */
import { cancelJob, getJob, listJobs, listRefusals } from './jobs.js'
import { getNumber, getTimeline, listNumbers } from './numbers.js'
import type { OperationContract } from './operation.js'
import { exportStock, generateStock, getStock, importStock, listPlaces, restoreStock, retireStock } from './stock.js'
import { getSync, listSyncItems, requeueSync } from './sync.js'
import { getInfo, listSettings } from './system.js'
import { listOperations } from './work.js'

export const operations: readonly OperationContract[] = [
  ...[getInfo, listSettings],
  ...[listNumbers, getNumber, getTimeline],
  ...[getSync, listSyncItems, requeueSync],
  ...[listJobs, getJob, cancelJob, listRefusals],
  ...[listOperations],
  ...[getStock, listPlaces, importStock, generateStock, retireStock, restoreStock, exportStock],
] as readonly OperationContract[]
