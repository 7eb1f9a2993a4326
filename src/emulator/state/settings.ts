/**
 * The settings of an emulator (its clock, scripted operations, faults), kept in memory, where requests read them, and
 * in the database, so that they survive a restart and reach the other processes on it.
 *
 * Changes go through one queue: a change reads what is stored, so that two processes don't undo each other's changes,
 * and takes effect once it is stored. What requests use up (a fault that strikes twice) is stored a moment later, so
 * that a request doesn't wait for it.
 */
import { sql, type Db } from '../../db/db.js'
import type { Logger } from '../../log.js'

export interface Setting<Value> {
  /** The value to store; undefined initially. */
  read(): Value | undefined
  /** Applies a stored value; undefined restores the initial state. */
  apply(value: Value | undefined): void
}

type AnySetting = Setting<unknown>

export class EmulatorSettings {
  readonly #db: Db
  readonly #logger: Logger
  readonly #settings = new Map<string, AnySetting>()
  readonly #used = new Set<string>()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(db: Db, logger: Logger) {
    this.#db = db
    this.#logger = logger
  }

  /** Adds a setting that is stored under `name`. */
  add<Value>(name: string, setting: Setting<Value>): void {
    this.#settings.set(name, setting)
  }

  /** Applies what is stored. */
  load(): Promise<void> {
    return this.#enqueue(() => this.#load())
  }

  /** Changes a setting: it is stored first and takes effect then. */
  change<Value>(name: string, next: (value: Value | undefined) => Value | undefined): Promise<void> {
    return this.#enqueue(async () => {
      await this.#load()
      const setting = this.#of(name)
      const value = next(setting.read() as Value | undefined)
      await this.#write(name, value)
      setting.apply(value)
    })
  }

  /** Must be called when a request has used up a part of a setting. */
  keepSoon(name: string): void {
    const isFirst = this.#used.size === 0
    this.#used.add(name)
    if (!isFirst) return
    this.#enqueue(() => this.#writeUsed()).catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'what an emulator has used up could not be stored')
    })
  }

  /** Resolves when everything pending is stored. */
  flush(): Promise<void> {
    return this.#enqueue(() => this.#writeUsed())
  }

  #of(name: string): AnySetting {
    const setting = this.#settings.get(name)
    if (!setting) throw new Error(`There is no setting ${name}`)
    return setting
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.catch(() => undefined)
    return done
  }

  async #load(): Promise<void> {
    await this.#writeUsed()
    const rows = await this.#db.query<{ name: string; value: string }>(sql`select name, value from emulator_setting`)
    const stored = new Map(rows.map(({ name, value }) => [name, JSON.parse(value) as unknown]))
    for (const [name, setting] of this.#settings) {
      // Requests go on meanwhile: what has just been used up is newer than what was read.
      if (!this.#used.has(name)) setting.apply(stored.get(name))
    }
  }

  async #writeUsed(): Promise<void> {
    const names = [...this.#used]
    this.#used.clear()
    for (const name of names) await this.#write(name, this.#of(name).read())
  }

  async #write(name: string, value: unknown): Promise<void> {
    await this.#db.query(
      value === undefined
        ? sql`delete from emulator_setting where name = ${name}`
        : sql`
            insert into emulator_setting (name, value) values (${name}, ${JSON.stringify(value)})
            on conflict (name) do update set value = excluded.value`,
    )
  }
}
