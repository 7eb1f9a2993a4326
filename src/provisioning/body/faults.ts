/** The faults of bodies of this API, as one error. */
import { DomainError } from '../../errors.js'
import { policies } from '../../http/body-policies.js'
import { place, type Fault, type Reader } from '../../http/body-reader.js'

/** A fault as this API reports it: the place, and what would be right. */
export type PlacedFault = Pick<Fault, 'path' | 'detail'>

export function invalidPart({ path, detail }: PlacedFault): DomainError {
  const target = place(path)
  return new DomainError('invalid-body', detail, target === '' ? {} : { target })
}

/** One error for faults, of which there is at least one. */
export function together(faults: readonly PlacedFault[]): DomainError {
  const all = faults.slice(0, policies.provisioning.maxFaults).map(invalidPart)
  const [first, ...others] = all
  return new DomainError(
    'invalid-body',
    others.length === 0 ? (first?.message ?? '') : `The body has ${all.length} faults. ${first?.message}`,
    { faults: all, ...(first?.target !== undefined && { target: first.target }) },
  )
}

/** Reads a whole body. Throws 'invalid-body' with every fault. */
export function readWhole<Value>(read: Reader<Value>, body: unknown): Value {
  const { value, faults } = read(body)
  if (faults.length > 0) throw together(faults)
  return value
}
