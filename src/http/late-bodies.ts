/**
 * How long bodies may take. Node has one bound for all requests of a server, so ours replaces it: a body has to be
 * complete in a minute; one that was admitted as long may take any time as long as bytes come.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { DomainError } from '../errors.js'

export interface BodyBounds {
  /** From the headers to the last byte. */
  wholeMs: number
  /** From one byte of a long body to the next. */
  idleMs: number
}

export const BODY_BOUNDS: BodyBounds = { wholeMs: 60_000, idleMs: 60_000 }

export const lateBody = ({ wholeMs }: BodyBounds): string =>
  `The body was not there within ${wholeMs / 1_000} seconds of its headers.`

interface Bound {
  timer: NodeJS.Timeout
  bounds: BodyBounds
  reply: FastifyReply
}

const bound = new WeakMap<IncomingMessage, Bound>()

/** @param refuse answers a request whose body is late; its connection is closed after that */
export function boundBodies(
  server: FastifyInstance,
  bounds: BodyBounds,
  refuse: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    if (hasBody(raw)) {
      const end = () => {
        if (raw.complete) return
        if (reply.raw.headersSent) raw.destroy()
        else giveUp(raw, () => refuse(request, reply.header('Connection', 'close')))
      }
      const timer = setTimeout(end, bounds.wholeMs).unref()
      bound.set(raw, { timer, bounds, reply })
      for (const event of ['end', 'close']) raw.once(event, () => clearTimeout(timer))
    }
    done()
  })
}

/** Lets the body of a request take its time, for one who may send it. It breaks off with 'request-timeout'. */
export function allowLongBody({ raw }: FastifyRequest): void {
  const { timer, bounds, reply } = bound.get(raw) ?? {}
  if (bounds === undefined || reply === undefined) return
  clearTimeout(timer)
  // In process there is no connection, and the body is there.
  if (!(raw.socket instanceof Socket)) return
  const { idleMs, wholeMs } = bounds
  raw.setTimeout(idleMs, () => {
    if (raw.complete) return
    if (reply.raw.headersSent || raw.listenerCount('error') === 0) raw.destroy()
    else {
      reply.header('Connection', 'close')
      raw.emit('error', new DomainError('request-timeout', `No byte of the body came for ${idleMs / 1_000} seconds.`))
    }
  })
  // The connection's own time-outs count from then on.
  raw.once('end', () => raw.setTimeout(0))
  // What is left of a body that was refused is not waited for as long.
  reply.raw.once('finish', () => {
    if (raw.complete) return
    const rest = setTimeout(() => raw.destroy(), wholeMs).unref()
    raw.once('close', () => clearTimeout(rest))
  })
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** The reader of the body no longer sees its end. */
function giveUp(raw: IncomingMessage, answer: () => void): void {
  for (const event of ['data', 'end', 'error']) raw.removeAllListeners(event)
  raw.on('error', () => {})
  raw.resume()
  answer()
}
