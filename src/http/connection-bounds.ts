/**
 * Bounds on connections, which come before any request and so before anyone has shown who they are: each takes a file
 * descriptor, and a process has few thousand.
 */
import type { Server, Socket } from 'node:net'
import type { Logger } from '../log.js'

export interface ConnectionBounds {
  /** How long a TLS handshake may take. */
  handshakeMs: number
  /** The most connections of one listener. */
  most: number
  /** The most of them from one address; 0 for any number. */
  mostPerAddress: number
}

export const CONNECTION_BOUNDS: ConnectionBounds = { handshakeMs: 10_000, most: 10_000, mostPerAddress: 0 }

/** Closes connections above the bounds as soon as they are made. The handshake's bound is an option of the server. */
export function boundConnections(
  server: Server,
  { most, mostPerAddress }: Omit<ConnectionBounds, 'handshakeMs'>,
  logger: Logger,
): void {
  const complain = rarely((fields: object) => logger.warn({ most, mostPerAddress, ...fields }, 'connections refused'))
  server.maxConnections = most
  server.on('drop', (refused) => complain({ address: refused?.remoteAddress }))
  // A listener that can't accept (no file descriptor is left) goes on once it can.
  server.on('listening', () => {
    server.on('error', (error: NodeJS.ErrnoException) => complain({ code: error.code }))
  })
  if (mostPerAddress > 0) boundAddresses(server, mostPerAddress, complain)
}

function boundAddresses(server: Server, most: number, complain: (fields: object) => void): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address } = socket
    // Closed before we looked.
    if (address === undefined) return
    const count = (open.get(address) ?? 0) + 1
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 0) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
    if (count <= most) return
    socket.destroy()
    complain({ address })
  })
}

const COMPLAINT_INTERVAL_MS = 60_000

/** An attack must not fill the log as well. */
function rarely(complain: (fields: object) => void): (fields: object) => void {
  let last = -Infinity
  return (fields) => {
    const now = performance.now()
    if (now - last < COMPLAINT_INTERVAL_MS) return
    last = now
    complain(fields)
  }
}
