/** What commands make of the answers of servers that are no emulator, or refuse. */
import { Command } from 'commander'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addEmulatorOptions, askEmulator } from '../../src/cli/connection/emulator-request.js'

let server: Server
let url: string
let answer: { status: number; body: string }
let authorization: string | undefined
beforeEach(async () => {
  server = createServer((request, response) => {
    authorization = request.headers.authorization
    response.writeHead(answer.status).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

const ask = (...flags: string[]) => {
  const command = addEmulatorOptions(new Command()).exitOverride()
  command.parse(['--url', url, ...flags], { from: 'user' })
  return askEmulator(command, { method: 'GET', path: '/clock' }, () => '')
}
const error = (code: string, message = 'No.', details?: object[]) =>
  JSON.stringify({ error: { code, message, ...(details && { details }) } })

it.each([
  [404, ''],
  [404, 'Not here'],
  [404, error('RouteNotFound')],
  [401, error('Denied')],
  [401, ''],
])('a %i of %j is of no emulator', async (status, body) => {
  answer = { status, body }
  await expect(ask()).rejects.toThrow(`${url} is no emulator: a Linebook in production mode has no test controls.`)
})

it.each([
  [401, error('Unauthorized', 'Who?'), 'Who? Give such a client with --client-id and --client-secret.'],
  [403, error('InsufficientRole', 'No role.'), 'No role. Give such a client with --client-id and --client-secret.'],
  [404, error('NotFound', 'None such.'), 'None such.'],
  [400, error('InvalidInput', 'Bad.', [{ message: 'a is.' }, { message: 'b is.' }]), 'a is. b is.'],
  [502, '<html>', 'answered 502. <html>'],
])('a %i of %j is told', async (status, body, message) => {
  answer = { status, body }
  await expect(ask()).rejects.toThrow(message)
})

it('the client shows who it is, whatever is in its name', async () => {
  answer = { status: 200, body: '{}' }
  await ask('--client-id', 'a+b', '--client-secret', 'c:d e')
  expect(authorization).toBe(`Basic ${btoa('a%2Bb:c%3Ad%20e')}`)
})
