/**
 * Requests that have one effect however often they are sent.
 *
 * The first one takes the request on, under a lease, in its own statement; the response is stored in the very
 * transaction that has the effect. So effect and response are stored together or not at all, whichever process dies
 * when: before the commit, the lease runs out and the next one carries the request out; after it, the response is
 * there. When work follows the commit that the response depends on (DNS records), the transaction's response is
 * provisional: it counts once that work is done or the lease has run out, and until then the request is still being
 * carried out.
 */
import { later } from '../../clock.js'
import type { Db, Tx } from '../../db/db.js'
import { newId } from '../../ids.js'
import {
  findRemembered,
  giveBack,
  remember,
  takeOn,
  type Fingerprint,
  type Lease,
  type RepeatKey,
  type Response,
} from './store.js'

/** Runs work in one transaction, which also stores its response. */
export type Commit = (work: (tx: Tx) => Promise<Response>) => Promise<Response>

export interface Carrying {
  commit: Commit
  /** Replaces the provisional response of the transaction, once the work after the commit is done. */
  amend(response: Response): Promise<void>
}

/** How bodies are kept: responses that show a secret are sealed. */
export interface BodyCodec {
  encode(body: string): string
  decode(body: string): string
}

export interface OnceRequest {
  key: RepeatKey
  fingerprint: Fingerprint
  now: Date
  /** When it is purged. */
  expiresAt: Date
  codec?: BodyCodec | undefined
  /** Called once the request is taken on, or is known to be the one that was. */
  onAccepted?(): void
  /** Another request was sent under this key. */
  mismatch(): Error
  /** The same request is being carried out just now. */
  inProgress(): Error
}

/** How long a repeat waits for the process that carries a request out: longer than any request lasts. */
const LEASE_MS = 90_000

/** For a request without a key, which is carried out every time. */
export const everyTime = (db: Db): Carrying => ({
  commit: (work) => db.transaction(work),
  amend: () => Promise.resolve(),
})

/**
 * Carries a request out once, or returns the response that it had before.
 * @param execute returns responses for refusals too; an error it throws is a bug, and is not remembered
 * Throws `mismatch()`, `inProgress()`, and what `execute` throws.
 */
export async function carryOutOnce(
  db: Db,
  request: OnceRequest,
  execute: (carrying: Carrying) => Promise<Response>,
): Promise<Response> {
  const { key, fingerprint, now, expiresAt, codec, onAccepted } = request
  const lease = { id: newId(), until: later(now, LEASE_MS) }
  for (;;) {
    if (await takeOn(db, key, fingerprint, lease, { now, expiresAt })) break
    const remembered = await findRemembered(db, key, now)
    // It has just been forgotten.
    if (remembered === undefined) continue
    if (!same(remembered, fingerprint)) throw request.mismatch()
    onAccepted?.()
    if (remembered.response === null) throw request.inProgress()
    return recoded(remembered.response, codec?.decode)
  }
  onAccepted?.()
  return underLease(db, request, lease, execute)
}

async function underLease(
  db: Db,
  { key, codec, inProgress }: OnceRequest,
  lease: Lease,
  execute: (carrying: Carrying) => Promise<Response>,
): Promise<Response> {
  const keep = async (at: Tx | Db, response: Response): Promise<void> => {
    if (!(await remember(at, key, lease, recoded(response, codec?.encode)))) throw inProgress()
  }
  const progress = { committed: false }
  const commit: Commit = async (work) => {
    const response = await db.transaction(async (tx) => {
      const found = await work(tx)
      await keep(tx, found)
      return found
    })
    progress.committed = true
    return response
  }
  try {
    const response = await execute({ commit, amend: (amended) => keep(db, amended) })
    if (response.status >= 500) await giveBack(db, key, lease)
    else if (!progress.committed) await keep(db, response)
    return response
  } catch (error) {
    await giveBack(db, key, lease)
    throw error
  }
}

const recoded = (response: Response, code: ((body: string) => string) | undefined): Response =>
  code === undefined || response.body === null ? response : { ...response, body: code(response.body) }

const same = (a: Fingerprint, b: Fingerprint): boolean =>
  a.hash.equals(b.hash) && a.firstSent.getTime() === b.firstSent.getTime()
