/** Every operation of the Operator API: the one source of its routes, its checks and its OpenAPI document. */
import type { OperationContract } from './operation.js'
import { clientOperations } from './clients.js'
import { resourceOperations } from './resources.js'
import { getInfo, listSettings } from './system.js'
import { walletOperations } from './wallets.js'

export const operations: readonly OperationContract[] = [
  getInfo,
  listSettings,
  ...resourceOperations,
  ...walletOperations,
  ...clientOperations,
] as readonly unknown[] as readonly OperationContract[]
