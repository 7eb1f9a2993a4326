/**
 * The purchase of a search or a reservation. Beginning it checks and charges; completing it makes the numbers owned;
 * abandoning it frees them and refunds the money. Without a delay and without other systems to call, it begins and ends
 * in the transaction that accepts it.
 */
import { refuseOffering, refuseQuantity, type Refusal, type Wanted } from '../../buyers/buyer.js'
import { chargeFor, refundAll, refundFor, type Charged } from '../../buyers/purchase-money.js'
import { countOwnedLocked, readBuyer, type BuyerWithWallets } from '../../buyers/store.js'
import type { Tx } from '../../db/db.js'
import type { Cause } from '../../ledger/history.js'
import { cancelHold, extendHold } from '../../ledger/holds.js'
import { purchaseHeld } from '../../ledger/sales.js'
import { callAt, type CallStage } from '../../operations/call-out.js'
import { ended, isDue, newOperation, type Operation, type OperationFailure } from '../../operations/operation.js'
import { insertOperation } from '../../operations/store.js'
import type { Hooks } from '../hooks/hook.js'
import type { PhoneNumbersDeps, Requester } from '../model/deps.js'
import type { Sale, SaleLine } from '../model/sale.js'

/** Stores the operation of a purchase: carried out if possible, otherwise with its hold marked as promised. */
export async function acceptPurchase(
  deps: PhoneNumbersDeps,
  tx: Tx,
  requester: Requester,
  id: string,
  sale: Sale,
): Promise<Operation> {
  const now = deps.clock.now()
  const { principal, requestMark } = requester
  const owner = requester.principal
  const course = deps.courseOf(sale.subject.kind, principal.resourceName)
  const planned = newOperation(id, owner, sale.subject, now, course, sale.createdAt)
  const operation = planned.scriptedFailure ? planned : withCalls(planned, deps.hooks)
  const cause: Cause = { at: now, actor: owner.actor, reason: operation.id }

  const refusal = await beginPurchase(deps, tx, sale, cause)
  if (refusal) {
    const failed = ended(operation, now, await abandonPurchase(tx, sale, refusal, cause))
    await insertOperation(tx, failed, requestMark)
    return failed
  }
  if (isDue(operation, now)) {
    const failure = operation.scriptedFailure
      ? await abandonPurchase(tx, sale, operation.scriptedFailure, cause)
      : (await completePurchase(tx, sale, {}, cause)).failure
    const done = ended(operation, now, failure)
    await insertOperation(tx, done, requestMark)
    return done
  }
  await extendHold(tx, sale.holdId, 'infinity', now)
  await sale.settle(tx, { state: 'accepted' }, now)
  await insertOperation(tx, operation, requestMark)
  return operation
}

function withCalls(operation: Operation, { billing, fulfilment }: Hooks): Operation {
  const stage: CallStage | null = billing ? 'billing' : fulfilment ? 'fulfilment' : null
  return stage === null ? operation : { ...operation, callOut: callAt(stage), startsAt: null }
}

/** Checks whether the resource may buy this now, and charges it. */
async function beginPurchase(
  { catalogue, walletRequired }: PhoneNumbersDeps,
  tx: Tx,
  { resourceId, lines }: Sale,
  { at, actor, reason }: Cause,
): Promise<Refusal | undefined> {
  const buyer = await readBuyer(tx, resourceId)
  for (const [offering, line] of oneLinePerOffering(lines)) {
    const found = catalogue.find(line.countryCode, line.numberType, line.assignmentType)
    if (!found || found.withdrawn) return offerWithdrawn(offering)
    const refusal = refuseOffering(buyer, asWanted(line, found.addressRequired))
    if (refusal) return refusal
  }
  const overLimit = await refuseOverLimit(tx, buyer, lines.length)
  if (overLimit) return overLimit
  const prices = lines.map(({ price }) => price)
  return chargeFor(tx, buyer, prices, { walletRequired }, { at, actor, reference: reason })
}

/** Refuses more numbers than a limit leaves room for. */
export const refuseOverLimit = async (tx: Tx, buyer: BuyerWithWallets, more: number): Promise<Refusal | undefined> =>
  buyer.numberLimit === null ? undefined : refuseQuantity(buyer, more, await countOwnedLocked(tx, buyer.resourceId))

function oneLinePerOffering(lines: readonly SaleLine[]): Map<string, SaleLine> {
  return new Map(lines.map((line) => [`${line.countryCode}:${line.numberType}:${line.assignmentType}`, line]))
}

const asWanted = (line: SaleLine, addressRequired: boolean): Wanted => ({
  countryCode: line.countryCode,
  numberType: line.numberType,
  assignmentType: line.assignmentType,
  addressRequired,
})

/** @param offering as `{country}:{type}:{assignment}` */
export const offerWithdrawn = (offering: string): Refusal => ({
  code: 'InvalidOfferModel',
  message: `The offering ${offering.replaceAll(':', ' ')} is not sold any more.`,
  details: [
    {
      code: 'OfferingWithdrawn',
      message: 'GET /availablePhoneNumbers/countries/{countryCode}/offerings lists what is.',
    },
  ],
})

export interface CompletedPurchase {
  failure: OperationFailure | null
  /** The numbers that it did not get. */
  missing: readonly string[]
}

/**
 * Makes the numbers of a purchase owned. A number that is gone, or was refused, is neither bought nor charged: the
 * operation has then failed, in part or altogether, and names these numbers with the reasons.
 * @param refused numbers that fulfilment refused, with its reasons
 */
export async function completePurchase(
  tx: Tx,
  sale: Sale,
  refused: Readonly<Record<string, string>>,
  cause: Cause,
): Promise<CompletedPurchase> {
  const { holdId, resourceId, lines } = sale
  const wanted = lines.filter(({ e164 }) => refused[e164] === undefined)
  const bought = new Set(await purchaseHeld(tx, { holdId, resourceId }, wanted, cause))
  const missing = lines.filter(({ e164 }) => !bought.has(e164))
  if (missing.length > 0) {
    await cancelHold(tx, holdId, cause)
    await refundFor(
      tx,
      chargedFor(sale),
      missing.map(({ price }) => price),
      { at: cause.at, actor: cause.actor, reference: cause.reason },
    )
  }
  const reasons = new Map(missing.map(({ e164 }) => [e164, whyMissing(e164, refused[e164])]))
  const failure = missing.length === 0 ? null : notAllAcquired(lines.length, [...reasons.values()])
  await sale.settle(tx, { state: 'ended', bought: [...bought], failure, reasons }, cause.at)
  return { failure, missing: missing.map(({ e164 }) => e164) }
}

const whyMissing = (e164: string, refusal: string | undefined): OperationFailure & { target: string } =>
  refusal === undefined
    ? { code: 'NumberGone', message: `${e164} was taken out of service before it was purchased.`, target: e164 }
    : { code: 'ProvisioningFailed', message: `${e164} could not be provisioned: ${refusal}`, target: e164 }

function notAllAcquired(count: number, reasons: readonly OperationFailure[]): OperationFailure {
  const details = reasons
  return reasons.length === count
    ? { code: 'AllNumbersNotAcquired', message: 'None of the numbers could be acquired.', details }
    : {
        code: 'NumbersPartiallyAcquired',
        message: `${count - reasons.length} of ${count} numbers were acquired; the others are not charged.`,
        details,
      }
}

/** Frees the numbers of a purchase, refunds it, and returns why it failed. */
export async function abandonPurchase(
  tx: Tx,
  sale: Sale,
  failure: OperationFailure,
  cause: Cause,
): Promise<OperationFailure> {
  await cancelHold(tx, sale.holdId, cause)
  await refundAll(tx, chargedFor(sale), { at: cause.at, actor: cause.actor, reference: cause.reason })
  const reasons = new Map(sale.lines.map(({ e164 }) => [e164, failure]))
  await sale.settle(tx, { state: 'ended', bought: [], failure, reasons }, cause.at)
  return failure
}

const chargedFor = ({ resourceId, createdAt }: Sale): Charged => ({ resourceId, since: createdAt })

/** Undoes the acceptance of a purchase that has not started: its numbers are held until their former time again. */
export async function callOffPurchase(tx: Tx, sale: Sale, cause: Cause): Promise<void> {
  await extendHold(tx, sale.holdId, sale.heldUntil, cause.at)
  await refundAll(tx, chargedFor(sale), { at: cause.at, actor: cause.actor, reference: cause.reason })
  await sale.settle(tx, { state: 'called-off' }, cause.at)
}
