/** Every operation of the Operator API: the one source of its routes, its checks and its OpenAPI document. */
import { clientOperations } from './clients.js'
import { listHolds, listResourceNumbers, listResourceOperations } from './holdings.js'
import { cancelJob, getJob, listJobs, listRefusals } from './jobs.js'
import { getNumber, getTimeline, listNumbers } from './numbers.js'
import type { OperationContract } from './operation.js'
import { resourceOperations } from './resources.js'
import { exportStock, generateStock, getStock, importStock, listPlaces, restoreStock, retireStock } from './stock.js'
import { getSync, listSyncItems, requeueSync } from './sync.js'
import { getInfo, listSettings } from './system.js'
import { walletOperations } from './wallets.js'
import { listOperations } from './work.js'

export const operations: readonly OperationContract[] = [
  ...[getInfo, listSettings],
  ...[listNumbers, getNumber, getTimeline],
  ...[getStock, listPlaces, importStock, generateStock, retireStock, restoreStock, exportStock],
  ...resourceOperations,
  ...[listHolds, listResourceOperations, listResourceNumbers],
  ...walletOperations,
  ...clientOperations,
  ...[getSync, listSyncItems, requeueSync],
  ...[listOperations],
  ...[listJobs, getJob, cancelJob, listRefusals],
] as readonly unknown[] as readonly OperationContract[]
