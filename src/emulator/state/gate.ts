/**
 * Lets requests pass unless the state is being replaced. A restore closes it: requests that have begun end first, the
 * others wait, so that none works partly with the old state and partly with the new one (a resource that is gone, say).
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from '../../http/server.js'

/** How long to wait for requests that have begun; after that the locks of the database keep them apart. */
const DRAIN_LIMIT_MS = 5_000

export class Gate {
  #inside = 0
  /** Pending while the gate is closed. */
  #closed: Promise<void> | undefined
  #onEmpty: () => void = () => {}
  #turn: Promise<unknown> = Promise.resolve()

  constructor(readonly drainLimitMs = DRAIN_LIMIT_MS) {}

  /** Makes the requests of a server pass the gate, except those that are exempt. */
  guard(server: FastifyInstance, isExempt: (request: FastifyRequest) => boolean): void {
    server.addHook('preHandler', (request, reply, done) => {
      if (isExempt(request)) return done()
      const enter = (): void => {
        if (this.#closed) return void this.#closed.then(enter)
        // A client that has left already emits no event any more.
        if (!reply.raw.destroyed) this.#letIn(reply)
        done()
      }
      enter()
    })
  }

  #letIn({ raw }: FastifyReply): void {
    this.#inside++
    let isInside = true
    const leave = () => {
      if (!isInside) return
      isInside = false
      this.#inside--
      if (this.#inside === 0) this.#onEmpty()
    }
    // Whichever comes first: the response was sent, or the client has gone.
    raw.once('finish', leave).once('close', leave)
  }

  /** Runs work while no request is inside, one piece of work after the other. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.#closedWhile(work))
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #closedWhile<T>(work: () => Promise<T>): Promise<T> {
    let open = () => {}
    this.#closed = new Promise((resolve) => (open = resolve))
    try {
      await this.#empty()
      return await work()
    } finally {
      this.#closed = undefined
      open()
    }
  }

  async #empty(): Promise<void> {
    if (this.#inside === 0) return
    const giveUp = new AbortController()
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve))
    await Promise.race([
      empty,
      wait(this.drainLimitMs, undefined, { signal: giveUp.signal, ref: false }).catch(() => undefined),
    ])
    giveUp.abort()
  }
}

/** The controls themselves and health probes are neither delayed nor made to fail. */
export const isExempt = ({ url }: FastifyRequest): boolean => /^\/+(_emulator|healthz|readyz)\/*([/?]|$)/i.test(url)
