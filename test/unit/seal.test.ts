import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Sealer } from '../../src/auth/seal.js'

const secret = Buffer.from('an access key')
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)]

describe('a sealed secret', () => {
  it('opens under its key and its context only', () => {
    const sealed = new Sealer([oldKey]).seal(secret, 'row 1')
    expect(new Sealer([oldKey]).open(sealed, 'row 1')).toEqual(secret)
    expect(() => new Sealer([newKey]).open(sealed, 'row 1')).toThrow('LINEBOOK_SECRET_KEY')
    expect(() => new Sealer([oldKey]).open(sealed, 'row 2')).toThrow('LINEBOOK_SECRET_KEY')
  })

  it('still opens when a new key has been put in front', () => {
    const sealed = new Sealer([oldKey]).seal(secret, 'row 1')
    expect(new Sealer([newKey, oldKey]).open(sealed, 'row 1')).toEqual(secret)
  })

  it('does not show the secret, nor that two are the same', () => {
    const sealer = new Sealer([oldKey])
    const sealed = sealer.seal(secret, 'row 1')
    expect(sealed.includes(secret)).toBe(false)
    expect(sealer.seal(secret, 'row 1').equals(sealed)).toBe(false)
  })

  it('does not open when a bit of it has changed', () => {
    const sealed = new Sealer([oldKey]).seal(secret, 'row 1')
    sealed[20] = (sealed[20] as number) ^ 1
    expect(() => new Sealer([oldKey]).open(sealed, 'row 1')).toThrow()
  })
})
