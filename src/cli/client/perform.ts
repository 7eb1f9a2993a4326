/** Carries out a command: connects, works, prints, and closes what was opened. */
import type { Command } from 'commander'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Io } from '../io.js'
import type { Client } from './client.js'
import { connect } from './connect.js'

/** What a command prints: of one result, or of a list line by line. */
export type Shown = ShownResult | ShownList

interface ShownResult {
  /** With `--json`; undefined as `{}`. */
  json: unknown
  text: string
}

interface ShownList {
  items: AsyncIterable<unknown>
  /** An item for people. */
  line(item: never): string
  /** Stands above the lines. */
  heading?: string
  /** What is said of a list without items. */
  none: string
}

/** `work` returns nothing where it has printed by itself. Throws SetupErrors. */
export async function perform(
  io: Io,
  command: Command,
  work: (client: Client) => Promise<Shown | undefined> | Shown,
  open: (io: Io, command: Command) => Promise<Client> = connect,
): Promise<void> {
  const client = await open(io, command)
  try {
    const { json = false } = command.opts<{ json?: true }>()
    const shown = await work(client)
    if (shown) await show(io, shown, json)
  } finally {
    await client.close()
  }
}

export const print = (io: Pick<Io, 'stdout'>, text: string): void => {
  io.stdout.write(`${text}\n`)
}

function show(io: Io, shown: Shown, json: boolean): Promise<void> | void {
  if ('items' in shown) return printAll(io, json ? jsonLines(shown) : textLines(shown))
  print(io, json ? JSON.stringify(shown.json ?? {}, undefined, 2) : shown.text)
}

/** Lists may be longer than memory, and than a reader wants. */
export const printAll = (io: Io, pieces: AsyncIterable<string | Uint8Array>): Promise<void> =>
  pipeline(Readable.from(pieces), io.stdout, { end: false })

/** An array with an item a line. */
async function* jsonLines({ items }: ShownList): AsyncGenerator<string> {
  let before = '['
  for await (const item of items) {
    yield `${before}\n${JSON.stringify(item)}`
    before = ','
  }
  yield before === '[' ? '[]\n' : '\n]\n'
}

async function* textLines({ items, line, heading, none }: ShownList): AsyncGenerator<string> {
  let isFirst = true
  for await (const item of items) {
    if (isFirst && heading !== undefined) yield `${heading}\n`
    isFirst = false
    yield `${line(item as never)}\n`
  }
  if (isFirst) yield `${none}\n`
}
