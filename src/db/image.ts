/**
 * The image that new embedded databases start from: a data folder, prepared by the build, migrated and with the
 * emulator stock in it. Loading it takes a fifth of the time of `initdb` and migrating, and its buffers are sized for
 * one session instead of a server (docs/adr/0001-one-database-interface.md).
 */
import { PGlite } from '@electric-sql/pglite'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Db } from './db.js'
import { asDb } from './pglite.js'

const STOCKED_IMAGE = fileURLToPath(new URL('../embedded-stocked.tar', import.meta.url))
const EMPTY_IMAGE = fileURLToPath(new URL('../embedded-empty.tar', import.meta.url))

/** The image to start from, or undefined when the build has made none: then `initdb` and the migrations run. */
export const imageFor = (stocked: boolean): string | undefined => {
  const file = stocked ? STOCKED_IMAGE : EMPTY_IMAGE
  return existsSync(file) ? file : undefined
}

/**
 * One session reads and writes: a small cache does, and small WAL segments keep the image and every data folder
 * small. With the defaults the process needs some 150 MB more.
 */
const SETTINGS = [
  'shared_buffers=8MB',
  'wal_buffers=256kB',
  'max_connections=5',
  'max_wal_senders=0',
  'max_replication_slots=0',
  'min_wal_size=2MB',
  'max_wal_size=32MB',
  // Segments kept for reuse would be most of what an image holds beside the database.
  'wal_recycle=off',
]

/** Prepares both images: `prepare` migrates, `stock` fills. */
export async function buildImages(prepare: (db: Db) => Promise<void>, stock: (db: Db) => Promise<void>): Promise<void> {
  const pglite = await PGlite.create({
    dataDir: 'memory://',
    initDbStartParams: ['--wal-segsize=1'],
    postgresqlconf: SETTINGS,
  })
  const db = asDb(pglite)
  // No databases are created in there: without the templates for that, an image, and every data folder, is half the
  // size.
  await pglite.exec('update pg_database set datistemplate = false')
  for (const template of ['template0', 'template1']) await pglite.exec(`drop database ${template}`)
  await prepare(db)
  await dump(pglite, EMPTY_IMAGE)
  await stock(db)
  await dump(pglite, STOCKED_IMAGE)
  await db.close()
}

async function dump(pglite: PGlite, file: string): Promise<void> {
  await pglite.exec('vacuum freeze analyze')
  await pglite.exec('checkpoint')
  const image = await pglite.dumpDataDir('none')
  await writeFile(file, Buffer.from(await image.arrayBuffer()))
}
