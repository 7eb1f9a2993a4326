/** The APIs in process, as the command line reaches them without a server. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openInProcess, type InProcess } from '../../src/compose/in-process.js'
import { readConfig } from '../../src/config/config.js'

let apis: InProcess
beforeAll(async () => {
  const env = { LINEBOOK_IN_MEMORY: 'on', LINEBOOK_SEED_STOCK: 'off', LINEBOOK_ALLOWED_ADDRESSES: '203.0.113.7' }
  apis = await openInProcess(readConfig({ ...env, LINEBOOK_APIS: 'phone-numbers' }), 'ada')
})
afterAll(() => apis.close())

const send = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) =>
  apis.server.inject({ method, url, ...(payload && { payload }) })

it('asks for no token, and says of each change that the person at the command line made it', async () => {
  expect((await send('POST', '/operator/v1/resources', { name: 'contoso' })).statusCode).toBe(201)
  await send('POST', '/operator/v1/resources/contoso/wallets', { amount: '5', currency: 'USD' })
  const entries = await send('GET', '/operator/v1/resources/contoso/wallets/USD/entries')
  expect(entries.json()).toMatchObject({ items: [{ amount: '5.00', actor: 'cli:ada' }] })
})

it('serves accounts too, whichever APIs a server would', async () => {
  const answer = await send('PUT', '/accounts/contoso?api-version=2024-02-29', { serviceDetails: {} })
  expect(answer.statusCode, answer.body).toBe(201)
})

it('listens nowhere', () => {
  expect(apis.server.addresses()).toEqual([])
})
