/** Bodies about several numbers: `{"numbers": […]}` in every api-version. */
import Type from 'typebox'
import { DomainError } from '../../errors.js'
import { policies } from '../../http/body-policies.js'
import { reader, type Path } from '../../http/body-reader.js'
import { MAX_BATCH } from '../contract/requests.js'
import { invalidPart, readWhole, type PlacedFault } from './faults.js'

/** The path of the number at `index` in the body. */
export const targetOf = (index: number): string => `numbers[${index}]`

const outside = reader(
  Type.Object({ numbers: Type.Array(Type.Unknown()) }, { additionalProperties: false }),
  policies.provisioning,
)

/** The limit for all numbers together, besides the first fault of each, which is always reported. */
const MAX_FURTHER_FAULTS = 100

type ReadItem<Item> = (item: unknown, at: Path) => { value: Item; faults: readonly PlacedFault[] }

/**
 * The numbers of a body, each read by `read`. Throws 'invalid-body' for the body as a whole, 'batch-empty',
 * 'batch-too-large', or one error with one fault for each bad number.
 * @param keyOf a key that may not occur twice
 */
export function readNumbers<Item>(body: unknown, read: ReadItem<Item>, keyOf?: (item: Item) => string): Item[] {
  const { numbers } = readWhole(outside, body)
  checkSize(numbers.length)
  const bad: DomainError[] = []
  let further = MAX_FURTHER_FAULTS
  const firstOf = new Map<string, number>()
  const items = numbers.map((number, index) => {
    const { value: item, faults } = read(number, ['numbers', index])
    if (faults.length > 0) {
      const shown = faults.slice(0, 1 + further)
      further -= shown.length - 1
      bad.push(badNumber(index, shown.map(invalidPart)))
    } else if (keyOf) {
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
  new DomainError('duplicate-in-batch', `${key} is at ${targetOf(first)} already; a number comes once.`, {
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
