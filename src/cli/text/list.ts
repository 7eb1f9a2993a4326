/** Beginnings of lists that may be longer than wanted; the rest is not read. */
import { InvalidArgumentError } from 'commander'

/** Reads the value of `--limit`. Throws an InvalidArgumentError. */
export function parseLimit(text: string): number {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (limit < 1) throw new InvalidArgumentError('A whole number from 1.')
  return limit
}

export async function* firstOf<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item> {
  let left = count
  for await (const item of items) {
    yield item
    if (--left === 0) return
  }
}

/** The first lines of a text. */
export async function* firstLines(pieces: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let left = count
  for await (const piece of pieces) {
    const lines = decoder.decode(piece, { stream: true }).split(/(?<=\n)/)
    for (const line of lines) {
      yield line
      if (line.endsWith('\n') && --left === 0) return
    }
  }
}
