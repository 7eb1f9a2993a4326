/** The access key that every emulator has: found by what it is, under whatever name it is stored. */
import { timingSafeEqual } from 'node:crypto'
import { sql, type Queryable, type Tx } from '../db/db.js'
import { SetupError } from '../errors.js'
import { deleteResource, listResources, updateResourceKey, whatIsLeft } from './resource-store.js'
import { EMULATOR_ACCESS_KEY, newAccessKey, openKeys, sealKey, type SealedKeys } from './resources.js'
import { EMULATOR_SEALING_KEY, Sealer } from './seal.js'

const WELL_KNOWN = Buffer.from(EMULATOR_ACCESS_KEY, 'base64')

/** Whether an access key is the published one. */
export const isWellKnownKey = (key: Uint8Array): boolean =>
  key.length === WELL_KNOWN.length && timingSafeEqual(key, WELL_KNOWN)

/** Whether a resource has the published key, whatever it is sealed under: the emulator's key, or one of these. */
export async function hasWellKnownResource(db: Queryable, secretKeys: readonly Buffer[]): Promise<boolean> {
  const opener = emulatorOpener(secretKeys)
  // Of a database from before the newest migrations too.
  const resources = await db.query<SealedKeys>(sql`
    select id, primary_key_sealed as "primaryKeySealed", secondary_key_sealed as "secondaryKeySealed" from resource`)
  return resources.some((resource) => openedBy(opener, resource)?.some(isWellKnownKey))
}

/**
 * Removes the resources with the published key; one that something is left of gets a new key instead. Keys of others
 * that the emulator sealed are sealed anew under the first of `secretKeys`. Returns what it did, in words.
 */
export async function removeWellKnownResources(tx: Tx, secretKeys: readonly Buffer[]): Promise<string[]> {
  const opener = emulatorOpener(secretKeys)
  const sealer = new Sealer([...secretKeys])
  const done: string[] = []
  for (const resource of await listResources(tx)) {
    const { id, name } = resource
    const keys = openedBy(opener, resource)
    if (keys === undefined) {
      throw new SetupError(
        `LINEBOOK_SECRET_KEY: it opens no key of the resource "${name}". Set the key it was stored under.`,
      )
    }
    const left = keys.some(isWellKnownKey) ? await whatIsLeft(tx, id) : undefined
    if (left?.length === 0) {
      await deleteResource(tx, id)
      done.push(`removed the resource "${name}", which had the published access key`)
      continue
    }
    for (const [index, slot] of (['primary', 'secondary'] as const).entries()) {
      const known = isWellKnownKey(keys[index] as Buffer)
      const key = known ? newAccessKey() : (keys[index] as Buffer).toString('base64')
      await updateResourceKey(tx, id, slot, sealKey(sealer, id, slot, key))
      if (known) done.push(`gave the resource "${name}" a new ${slot} key in place of the published one`)
    }
  }
  return done
}

const emulatorOpener = (secretKeys: readonly Buffer[]): Sealer => new Sealer([...secretKeys, EMULATOR_SEALING_KEY])

/** Undefined for keys that are sealed under another. */
function openedBy(opener: Sealer, resource: SealedKeys): Buffer[] | undefined {
  try {
    return openKeys(opener, resource)
  } catch (error) {
    if (error instanceof SetupError) return undefined
    throw error
  }
}
