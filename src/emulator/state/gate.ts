/**
 * Lets requests pass while nothing is replaced under them. A restore closes it: requests that have begun end first, the
 * others wait, so that none works half with what was and half with what is (a resource that is gone, say).
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from '../../http/server.js'

/** How long requests that have begun are waited for; the locks of the database keep whatever comes later apart. */
const DRAIN_LIMIT_MS = 5_000

export class Gate {
  #inside = 0
  /** Pending while the gate is closed. */
  #closed: Promise<void> | undefined
  #onEmpty: () => void = () => {}
  #turn: Promise<unknown> = Promise.resolve()

  constructor(readonly drainLimitMs = DRAIN_LIMIT_MS) {}

  /** Has the requests of a server pass the gate, but those that `isExempt`. */
  guard(server: FastifyInstance, isExempt: (request: FastifyRequest) => boolean): void {
    server.addHook('preHandler', (request, reply, done) => {
      if (isExempt(request)) return done()
      const enter = (): void => {
        if (this.#closed) return void this.#closed.then(enter)
        // Nobody says when a client leaves that has left already.
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
    // Whichever comes: an answer that is out, or a client that has gone.
    raw.once('finish', leave).once('close', leave)
  }

  /** Runs work with nobody inside. One after the other. */
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
