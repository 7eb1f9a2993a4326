/** Bodies that are about several numbers: `{"numbers": […]}` in every api-version. */
import Type from 'typebox'
import { DomainError } from '../../errors.js'
import { MAX_BATCH } from '../contract/requests.js'
import { Faults, strictReader, type Reader } from './strict-reader.js'

/** Where the number at `index` stands in the body. */
export const targetOf = (index: number): string => `numbers[${index}]`

const outside = strictReader(Type.Object({ numbers: Type.Array(Type.Unknown()) }, { additionalProperties: false }))

/**
 * The numbers of a body, each read by `read`. Throws 'invalid-body' for the body as a whole, 'batch-empty',
 * 'batch-too-large', or one error with one fault for each bad number.
 * @param keyOf what may not come twice
 */
export function readNumbers<Item>(body: unknown, read: Reader<Item>, keyOf?: (item: Item) => string): Item[] {
  const faults = new Faults()
  const { numbers } = outside(body, '', faults)
  faults.throwIfAny()
  checkSize(numbers.length)
  const bad: DomainError[] = []
  const firstOf = new Map<string, number>()
  const items = numbers.map((number, index) => {
    const ofItem = new Faults(faults)
    const item = read(number, targetOf(index), ofItem)
    if (ofItem.all.length > 0) bad.push(badNumber(index, ofItem.all))
    else if (keyOf) {
      const first = firstOf.get(keyOf(item))
      if (first === undefined) firstOf.set(keyOf(item), index)
      else bad.push(duplicate(index, first, keyOf(item)))
    }
    return item
  })
  if (bad.length > 0) throw badBatch(bad, numbers.length)
  return items
}

function checkSize(count: number): void {
  const target = 'numbers'
  if (count === 0) throw new DomainError('batch-empty', `numbers is empty; it takes 1 to ${MAX_BATCH}.`, { target })
  if (count > MAX_BATCH) {
    throw new DomainError('batch-too-large', `numbers has ${count} items; it takes 1 to ${MAX_BATCH}.`, { target })
  }
}

const badNumber = (index: number, faults: readonly DomainError[]): DomainError =>
  new DomainError('invalid-body', faults.map(({ message }) => message).join(' '), { target: targetOf(index), faults })

const duplicate = (index: number, first: number, key: string): DomainError =>
  new DomainError('duplicate-in-batch', `${key} stands at ${targetOf(first)} already; a number comes once.`, {
    target: targetOf(index),
  })

function badBatch(bad: readonly DomainError[], count: number): DomainError {
  const [first] = bad as [DomainError]
  const kind = bad.every((fault) => fault.kind === first.kind) ? first.kind : 'invalid-body'
  return new DomainError(kind, `${bad.length} of ${count} numbers are wrong; nothing was done.`, {
    faults: bad,
    ...(first.target !== undefined && { target: first.target }),
  })
}
