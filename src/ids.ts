import { randomUUID } from 'node:crypto'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A fresh lower-case UUID v4. */
export const newId = (): string => randomUUID()

/**
 * Whether `text` is a UUID of any version. Checked before an id reaches a `uuid` column, which refuses anything else.
 */
export const isUuid = (text: string): boolean => UUID.test(text)
