import { PGlite, types, type Transaction } from '@electric-sql/pglite'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { SetupError } from '../errors.js'
import { makeFolder } from '../folder.js'
import { lockDataDir } from './data-dir-lock.js'
import { retryTransaction, type Db, type Queryable, type Sql, type Tx } from './db.js'

export interface PgliteOptions {
  /** Folder that keeps the database, or undefined for one that lives in memory. */
  dataDir: string | undefined
  /** Tar of a prepared data folder, that a new database is born from; see `image.ts`. Without it `initdb` runs. */
  imageFile?: string | undefined
}

/**
 * Opens the embedded engine: PostgreSQL in WebAssembly, one process, one session. Statements and transactions queue
 * behind one another. The folder is locked against a second process; it survives `kill -9`, but there is no fsync, so
 * not a power cut.
 *
 * Throws a SetupError that names LINEBOOK_DATA_DIR when the folder can't be used.
 */
export async function openPglite({ dataDir, imageFile }: PgliteOptions): Promise<Db> {
  const folder = dataDir === undefined ? undefined : folderIn(dataDir)
  const unlock = dataDir === undefined ? async () => {} : await lockFolder(dataDir)
  try {
    const isNew = dataDir === undefined || !hasDatabase(dataDir)
    const image = isNew && imageFile !== undefined ? new Blob([await readFile(imageFile)]) : undefined
    compileOnce()
    const pglite = await PGlite.create({
      dataDir: folder ?? 'memory://',
      parsers: { [types.INT8]: Number },
      ...(image && { loadDataDir: image }),
    })
    return asDb(pglite, unlock)
  } catch (error) {
    await unlock()
    if (folder === undefined) throw error
    throw new SetupError(
      `LINEBOOK_DATA_DIR: the database in "${folder}" can't be opened; it may be damaged. ` +
        'Put back a copy of the folder, or choose another one.',
      { cause: error },
    )
  }
}

/** Whether a data folder has a database already. */
export const hasDatabase = (dataDir: string): boolean => existsSync(join(folderIn(dataDir), 'PG_VERSION'))

const folderIn = (dataDir: string): string => join(dataDir, 'database')

/**
 * Makes V8 compile the engine with its quick compiler only. Optimising the busy functions keeps the processors busy for
 * the first seconds and needs 60 to 360 MB (Node 24 most), for a tenth more speed in the end.
 *
 * `--liftoff-only` says the same in one flag, but V8 derives the other two from it only when the process starts.
 */
function compileOnce(): void {
  setFlagsFromString('--no-wasm-tier-up')
  setFlagsFromString('--no-wasm-dynamic-tiering')
}

/** Presents an open PGlite as a Db. */
export function asDb(pglite: PGlite, afterClose: () => Promise<void> = async () => {}): Db {
  return {
    engine: 'pglite',
    query: (statement) => runStatement(pglite, statement),
    transaction: (work) =>
      retryTransaction(() => pglite.transaction((transaction) => work(transactionOn(transaction)))),
    close: async () => {
      await pglite.close()
      await afterClose()
    },
  }
}

const transactionOn = (transaction: Transaction): Tx =>
  ({
    query: (statement: Sql) => runStatement(transaction, statement),
    script: async (text: string) => {
      await transaction.exec(text)
    },
    liftTimeLimit: async () => {
      await transaction.exec('set local statement_timeout = 0')
    },
  }) as Queryable as Tx

async function runStatement<Row extends object>(on: PGlite | Transaction, statement: Sql): Promise<Row[]> {
  const { rows } = await on.query<Row>(statement.text, statement.values)
  return rows
}

async function lockFolder(dataDir: string): Promise<() => Promise<void>> {
  try {
    await makeFolder(dataDir)
    return await lockDataDir(dataDir)
  } catch (error) {
    if (error instanceof SetupError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SetupError(`LINEBOOK_DATA_DIR: the folder "${dataDir}" can't be written: ${reason}`, { cause: error })
  }
}
