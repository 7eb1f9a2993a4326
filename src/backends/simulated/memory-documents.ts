import { LOG_LIMITS, type Change, type Documents, type LoggedCall, type Ref, type Scope } from './documents.js'

/** Documents that live as long as the process. Kept as JSON, so that no code holds a reference into what is stored. */
export class MemoryDocuments implements Documents {
  #contents = new Map<string, string>()
  #calls = new Map<Scope, LoggedCall[]>()
  #lastId = 0
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  async read(refs: readonly Ref[]): Promise<unknown[]> {
    return refs.map((ref) => {
      const text = this.#contents.get(idOf(ref))
      return text === undefined ? undefined : (JSON.parse(text) as unknown)
    })
  }

  list: Documents['list'] = async (scope, kind, { after, limit }) => {
    const prefix = idOf({ scope, kind, key: '' })
    return [...this.#contents]
      .filter(([id]) => id.startsWith(prefix))
      .map(([id, text]) => ({ key: id.slice(prefix.length), text }))
      .filter(({ key }) => after === undefined || key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, limit)
      .map(({ key, text }) => ({ key, content: JSON.parse(text) as unknown }))
  }

  calls: Documents['calls'] = async (scope, { after = 0, limit }) =>
    (this.#calls.get(scope) ?? []).filter(({ id }) => id > after).slice(0, limit)

  change<T>(work: (change: Change) => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => this.#run(work))
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #run<T>(work: (change: Change) => Promise<T>): Promise<T> {
    const effects: (() => void)[] = []
    const result = await work({
      read: (refs) => this.read(refs),
      write: async (entries) => {
        const texts = entries.map(({ ref, content }) => ({
          id: idOf(ref),
          text: content === undefined ? undefined : JSON.stringify(content),
        }))
        effects.push(() => texts.forEach(({ id, text }) => this.#put(id, text)))
      },
      clear: async (scope, kind) => {
        const prefix = kind === undefined ? `${scope}/` : idOf({ scope, kind, key: '' })
        effects.push(() => {
          for (const id of [...this.#contents.keys()]) if (id.startsWith(prefix)) this.#contents.delete(id)
        })
      },
      append: async (scope, call) => {
        effects.push(() => this.#append(scope, call))
      },
      clearCalls: async (scope) => {
        effects.push(() => this.#calls.delete(scope))
      },
    })
    for (const effect of effects) effect()
    return result
  }

  #put(id: string, text: string | undefined): void {
    if (text === undefined) this.#contents.delete(id)
    else this.#contents.set(id, text)
  }

  #append(scope: Scope, call: Omit<LoggedCall, 'id'>): void {
    const calls = [...(this.#calls.get(scope) ?? []), structuredClone({ id: ++this.#lastId, ...call })]
    let items = 0
    const kept = calls.findLastIndex((entry, index) => {
      items += entry.items.length
      return items > LOG_LIMITS.items || calls.length - index > LOG_LIMITS.calls
    })
    // The newest call is always kept, however many items it has.
    this.#calls.set(scope, calls.slice(Math.min(kept + 1, calls.length - 1)))
  }
}

const idOf = ({ scope, kind, key }: Ref): string => `${scope}/${kind}/${key}`
