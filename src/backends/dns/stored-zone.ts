/**
 * The zone that Linebook keeps in its own database: all processes see the same records, and these survive the
 * processes. A server that answers DNS queries, or a provider's zone, would implement the same port.
 */
import { sql, type Db } from '../../db/db.js'
import type { TxtRecord, Zone } from '../port/zone.js'

export class StoredZone implements Zone {
  readonly name = 'built-in'
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async replaceTxt(records: readonly TxtRecord[]): Promise<void> {
    const names = records.map(({ name }) => name)
    const values = records.flatMap((record) => record.values.map((value) => ({ name: record.name, value })))
    await this.#db.transaction(async (tx) => {
      await tx.query(sql`delete from dns_record where name = any(${names}::text[])`)
      if (values.length === 0) return
      await tx.query(sql`
        insert into dns_record (name, value)
        select name, value
        from unnest(${values.map(({ name }) => name)}::text[], ${values.map(({ value }) => value)}::text[])
          as r (name, value)`)
    })
  }

  async lookupTxt(names: readonly string[]): Promise<Map<string, readonly string[]>> {
    const rows = await this.#db.query<{ name: string; values: string[] }>(sql`
      select name, array_agg(value order by value) as values from dns_record
      where name = any(${names}::text[]) group by name`)
    return new Map(rows.map(({ name, values }) => [name, values]))
  }
}
