/** The statements about repeatable requests. `once.ts` says when each is used. */
import { sql, type Db, type Queryable, type Tx } from '../../db/db.js'

export interface RepeatKey {
  caller: string
  requestId: string
}

export interface Response {
  status: number
  headers: Record<string, string>
  /** JSON text; null: no body. */
  body: string | null
  /** Another one will replace it in a moment; until then the request is still being carried out. */
  provisional?: boolean
}

/** What makes two requests the same. */
export interface Fingerprint {
  firstSent: Date
  /** Of method, path, query and body. */
  hash: Buffer
}

export interface Remembered extends Fingerprint {
  /** Null while the request is being carried out, or until it is carried out again. */
  response: Response | null
}

export interface Lease {
  id: string
  until: Date
}

/**
 * Takes a request on under a lease, if it is new, if the process that took it on has died, or if its window is over.
 * Returns whether the lease is held.
 */
export async function takeOn(
  db: Db,
  { caller, requestId }: RepeatKey,
  { firstSent, hash }: Fingerprint,
  lease: Lease,
  { now, expiresAt }: { now: Date; expiresAt: Date },
): Promise<boolean> {
  const rows = await db.query(sql`
    insert into repeatable_request as r
      (caller, request_id, first_sent, fingerprint, lease, leased_until, expires_at)
    values (${caller}, ${requestId}, ${firstSent}, ${hash}, ${lease.id}, ${lease.until}, ${expiresAt})
    on conflict (caller, request_id) do update
    set first_sent = excluded.first_sent, fingerprint = excluded.fingerprint, lease = excluded.lease,
        leased_until = excluded.leased_until, expires_at = excluded.expires_at,
        status = null, headers = null, body = null
    where r.expires_at <= ${now}
      or (r.status is null and r.leased_until <= ${now}
          and r.first_sent = excluded.first_sent and r.fingerprint = excluded.fingerprint)
    returning lease`)
  return rows.length > 0
}

interface RememberedRow {
  firstSent: Date
  hash: Uint8Array
  status: number | null
  headers: Record<string, string> | null
  body: string | null
  isRunning: boolean
}

export async function findRemembered(
  db: Queryable,
  { caller, requestId }: RepeatKey,
  now: Date,
): Promise<Remembered | undefined> {
  const [row] = await db.query<RememberedRow>(sql`
    select first_sent as "firstSent", fingerprint as hash, status, headers, body, leased_until > ${now} as "isRunning"
    from repeatable_request where caller = ${caller} and request_id = ${requestId}`)
  if (row === undefined) return undefined
  const { firstSent, hash, status, headers, body, isRunning } = row
  return {
    firstSent,
    hash: Buffer.from(hash),
    response: status === null || isRunning ? null : { status, headers: headers ?? {}, body },
  }
}

/**
 * Stores the response, in the transaction that has the request's effect, and gives the lease back unless the response
 * is provisional. Returns false when the lease is no longer held: then another process carries the request out, and
 * this transaction must not commit.
 */
export async function remember(
  db: Tx | Db,
  { caller, requestId }: RepeatKey,
  lease: Lease,
  { status, headers, body, provisional = false }: Response,
): Promise<boolean> {
  const rows = await db.query(sql`
    update repeatable_request
    set status = ${status}, headers = ${JSON.stringify(headers)}::jsonb, body = ${body},
        leased_until = case when ${provisional}::boolean then leased_until else '-infinity' end
    where caller = ${caller} and request_id = ${requestId} and lease = ${lease.id}
    returning lease`)
  return rows.length > 0
}

/**
 * Gives the lease back: a request without a stored response may be carried out again at once, and a provisional
 * response becomes final.
 */
export async function giveBack(db: Db, { caller, requestId }: RepeatKey, lease: Lease): Promise<void> {
  await db.query(sql`
    update repeatable_request set leased_until = '-infinity'
    where caller = ${caller} and request_id = ${requestId} and lease = ${lease.id}`)
}

/** Forgets requests whose window is over. Returns how many, at most `limit`. Index `repeatable_request_expires_at`. */
export async function purgeRemembered(tx: Tx, limit: number, now: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from repeatable_request
    where (caller, request_id) in (
      select caller, request_id from repeatable_request where expires_at <= ${now}
      order by expires_at limit ${limit} for update skip locked
    )
    returning caller`)
  return rows.length
}
