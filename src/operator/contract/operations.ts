/** Every operation of the Operator API: the one source of its routes, its checks and its OpenAPI document. */
import type { OperationContract } from './operation.js'
import { getInfo, listSettings } from './system.js'

export const operations: readonly OperationContract[] = [getInfo, listSettings] as readonly OperationContract[]
