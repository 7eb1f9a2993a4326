/** The documents of simulated backends, kept in the emulator's own database. */
import { empty, sql, type Db, type Queryable, type Tx } from '../../db/db.js'
import { LOG_LIMITS, type Change, type Documents, type LoggedCall, type Ref, type Scope } from './documents.js'

export function storedDocuments(db: Db): Documents {
  const sinceCut = new Map<Scope, number>()
  return {
    read: (refs) => readDocuments(db, refs),
    list: async (scope, kind, { after, limit }) => {
      const rows = await db.query<{ key: string; content: string }>(sql`
      select key, content from simulated_document
      where scope = ${scope} and kind = ${kind} and key > ${after ?? ''}
      order by key limit ${limit}`)
      return rows.map(({ key, content }) => ({ key, content: JSON.parse(content) as unknown }))
    },
    calls: async (scope, { after = 0, limit }) => {
      const rows = await db.query<{ id: number; content: string }>(sql`
      select id, content from simulated_call where scope = ${scope} and id > ${after} order by id limit ${limit}`)
      return rows.map(({ id, content }) => ({ id, ...(JSON.parse(content) as Omit<LoggedCall, 'id'>) }))
    },
    change: (work) => db.transaction((tx) => work(changeOn(tx, sinceCut))),
  }
}

/** A process cuts a log after this many of its own calls: between cuts the log may exceed its limits a little. */
const CALLS_BETWEEN_CUTS = 50

const changeOn = (tx: Tx, sinceCut: Map<Scope, number>): Change => ({
  read: (refs) => readDocuments(tx, refs, { lock: true }),
  write: async (entries) => {
    const kept = entries.filter(({ content }) => content !== undefined)
    const gone = entries.filter(({ content }) => content === undefined)
    if (kept.length > 0) await putDocuments(tx, kept)
    if (gone.length > 0)
      await removeDocuments(
        tx,
        gone.map(({ ref }) => ref),
      )
  },
  clear: async (scope, kind) => {
    await tx.query(sql`
      delete from simulated_document where scope = ${scope} ${kind === undefined ? empty : sql`and kind = ${kind}`}`)
  },
  append: async (scope, call) => {
    await appendCall(tx, scope, call)
    const calls = (sinceCut.get(scope) ?? 0) + 1
    sinceCut.set(scope, calls % CALLS_BETWEEN_CUTS)
    if (calls === CALLS_BETWEEN_CUTS) await cutLog(tx, scope)
  },
  clearCalls: async (scope) => {
    await tx.query(sql`delete from simulated_call where scope = ${scope}`)
  },
})

/** One by one by the primary key, whatever the statistics say; locked in that order, so that changes can't deadlock. */
async function readDocuments(on: Queryable, refs: readonly Ref[], { lock = false } = {}): Promise<unknown[]> {
  if (refs.length === 0) return []
  const rows = await on.query<{ place: number; content: string }>(sql`
    select place::integer as place, content
    from (
      select * from unnest(${refs.map(({ scope }) => scope)}::text[], ${refs.map(({ kind }) => kind)}::text[],
                           ${refs.map(({ key }) => key)}::text[]) with ordinality as r (scope, kind, key, place)
      order by scope, kind, key collate "C"
    ) as wanted
    cross join lateral (
      select content from simulated_document as d
      where d.scope = wanted.scope and d.kind = wanted.kind and d.key = wanted.key collate "C"
      offset 0 ${lock ? sql`for update` : empty}
    ) as found`)
  const contents = new Map(rows.map(({ place, content }) => [place - 1, content]))
  return refs.map((_, index) => {
    const content = contents.get(index)
    return content === undefined ? undefined : (JSON.parse(content) as unknown)
  })
}

async function putDocuments(tx: Tx, entries: readonly { ref: Ref; content: unknown }[]): Promise<void> {
  const refs = entries.map(({ ref }) => ref)
  await tx.query(sql`
    insert into simulated_document (scope, kind, key, content)
    select * from unnest(${refs.map(({ scope }) => scope)}::text[], ${refs.map(({ kind }) => kind)}::text[],
                         ${refs.map(({ key }) => key)}::text[],
                         ${entries.map(({ content }) => JSON.stringify(content))}::text[]) as e (scope, kind, key, content)
    order by scope, kind, key collate "C"
    on conflict (scope, kind, key) do update set content = excluded.content`)
}

async function removeDocuments(tx: Tx, refs: readonly Ref[]): Promise<void> {
  await tx.query(sql`
    delete from simulated_document as d
    using unnest(${refs.map(({ scope }) => scope)}::text[], ${refs.map(({ kind }) => kind)}::text[],
                 ${refs.map(({ key }) => key)}::text[]) as r (scope, kind, key)
    where d.scope = r.scope and d.kind = r.kind and d.key = r.key collate "C"`)
}

async function appendCall(tx: Tx, scope: Scope, call: Omit<LoggedCall, 'id'>): Promise<void> {
  await tx.query(sql`
    insert into simulated_call (scope, item_count, content)
    values (${scope}, ${call.items.length}, ${JSON.stringify(call)})`)
}

/** Removes the oldest calls that are over the limits; the newest stays, however many items it has. */
async function cutLog(tx: Tx, scope: Scope): Promise<void> {
  await tx.query(sql`
    delete from simulated_call
    where scope = ${scope} and id <= (
      select max(id) from (
        select id, sum(item_count) over newest_first as items, row_number() over newest_first as calls
        from simulated_call where scope = ${scope}
        window newest_first as (order by id desc)
      ) as counted
      where calls > 1 and (items > ${LOG_LIMITS.items} or calls > ${LOG_LIMITS.calls})
    )`)
}
