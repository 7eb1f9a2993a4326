import { createHash, createHmac } from 'node:crypto'

export const API_VERSION = '2025-06-01'

/**
 * A request as bytes, signed with an access key as the SDKs do. It can be sent for as long as its date is accepted.
 * @param {{ port: number, key: string }} service
 * @param {string} method
 * @param {string} path without api-version
 * @param {object} [content] sent as JSON
 */
export function signedRequest({ port, key }, method, path, content) {
  const target = `${path}${path.includes('?') ? '&' : '?'}api-version=${API_VERSION}`
  return signTarget({ port, key }, method, target, content)
}

/** The same for a target that is complete, such as a link of an answer. */
export function signTarget({ port, key }, method, target, content) {
  const body = content === undefined ? '' : JSON.stringify(content)
  const host = `127.0.0.1:${port}`
  const date = new Date().toUTCString()
  const hash = createHash('sha256').update(body).digest('base64')
  const text = `${method}\n${target}\n${date};${host};${hash}`
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Accept: application/json',
    `x-ms-date: ${date}`,
    `x-ms-content-sha256: ${hash}`,
    `Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
    ...(content === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  return { head: `${lines.join('\r\n')}\r\n`, body }
}

/**
 * The bytes to send, under its own request id: by that, the service distinguishes a new request from a repeated one.
 */
export const withRequestId = ({ head, body }, id) => `${head}x-ms-client-request-id: ${id}\r\n\r\n${body}`
