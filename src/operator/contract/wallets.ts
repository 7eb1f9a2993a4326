/** Prepaid money of resources: balances, the journal, credit, and the monthly charge. */
import Type from 'typebox'
import { Instant, listQuery, operation } from './operation.js'

export const Wallet = Type.Object({ resource: Type.String(), currency: Type.String(), balance: Type.String() })

export const WalletEntry = Type.Object({
  id: Type.Integer(),
  at: Instant,
  kind: Type.String({ description: 'credit, purchase, refund or month' }),
  amount: Type.String(),
  balance: Type.String({ description: 'After it' }),
  numbers: Type.Integer(),
  actor: Type.String(),
  reference: Type.String(),
})

export const listWallets = operation({
  operationId: 'Wallets_List',
  summary: 'The wallets of all resources',
  method: 'GET',
  path: '/wallets',
  role: 'Admin',
  list: true,
  query: Type.Object(listQuery),
  success: { status: 200, description: 'A page of wallets', body: Wallet },
})

export const listResourceWallets = operation({
  operationId: 'ResourceWallets_List',
  summary: 'The wallets of a resource, one for each currency',
  method: 'GET',
  path: '/resources/{name}/wallets',
  role: 'Admin',
  list: true,
  query: Type.Object(listQuery),
  success: { status: 200, description: 'Its wallets', body: Wallet },
})

export const creditWallet = operation({
  operationId: 'ResourceWallets_Credit',
  summary: 'Puts money into a wallet, which is made if it is not there yet; a negative amount corrects',
  method: 'POST',
  path: '/resources/{name}/wallets',
  role: 'Admin',
  body: Type.Object({
    amount: Type.String({ maxLength: 30, description: 'Up to 4 digits after the point' }),
    currency: Type.String({ maxLength: 3 }),
    note: Type.Optional(Type.String({ maxLength: 200, description: 'What the journal says about it' })),
  }),
  success: { status: 200, description: 'The wallet', body: Wallet },
})

export const listEntries = operation({
  operationId: 'WalletEntries_List',
  summary: 'The journal of a wallet, newest first',
  method: 'GET',
  path: '/resources/{name}/wallets/{currency}/entries',
  role: 'Admin',
  list: true,
  query: Type.Object(listQuery),
  success: { status: 200, description: 'A page of the journal', body: WalletEntry },
})

export const chargeMonth = operation({
  operationId: 'Wallets_ChargeMonth',
  summary:
    'Charges resources for a month of the numbers that they own; each wallet once, however often it is asked for',
  method: 'POST',
  path: '/wallets:chargeMonth',
  role: 'Admin',
  body: Type.Object({
    month: Type.Optional(Type.String({ maxLength: 7, description: 'Such as 2026-11; the present one' })),
  }),
  bodyOptional: true,
  success: { status: 202, description: 'A job, at Location', body: Type.Object({ id: Type.String() }) },
})

export const walletOperations = [listWallets, listResourceWallets, creditWallet, listEntries, chargeMonth]
