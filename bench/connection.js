import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * A keep-alive connection on a bare socket: the program that makes the load shares the processors with the one that is
 * measured, so it does as little as it can. One request at a time; responses must have a length.
 */
export class Connection {
  #socket
  #received = ''
  /** @type {{ resolve(answer: Answer): void, reject(error: Error): void } | undefined} */
  #waiting

  /** @param {number} port */
  static async open(port) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  constructor(socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text) => this.#receive(text))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('The server closed the connection')))
  }

  /** @param {string} bytes ASCII @returns {Promise<Answer>} */
  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(bytes, 'latin1')
    })
  }

  close() {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #receive(text) {
    this.#received += text
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = this.#received.slice(0, headEnd)
    const status = Number(head.slice(9, 12))
    const length = status === 204 ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN)
    if (Number.isNaN(length)) return this.#waiting?.reject(new Error(`An answer without length:\n${head}`))
    const end = headEnd + 4 + length
    if (this.#received.length < end) return
    const answer = new Answer(status, head, this.#received.slice(headEnd + 4, end))
    this.#received = this.#received.slice(end)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(answer)
  }
}

export class Answer {
  constructor(status, head, body) {
    this.status = status
    this.head = head
    this.body = body
  }

  /** @param {string} name */
  header(name) {
    return new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(this.head)?.[1]
  }

  /** Throws unless the status is the expected one: with another status something else is measured. */
  expect(status) {
    if (this.status === status) return this
    throw new Error(`${status} expected, got:\n${this.head}\n\n${this.body}`)
  }
}

/**
 * Opens connections for the time of `work`.
 * @template T @param {number} port @param {number} count @param {(connections: Connection[]) => Promise<T>} work
 */
export async function withConnections(port, count, work) {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port)))
  try {
    return await work(connections)
  } finally {
    for (const connection of connections) connection.close()
  }
}
