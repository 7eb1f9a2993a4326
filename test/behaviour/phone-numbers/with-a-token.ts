/** Requests to Phone Numbers with an access token, and what is answered to those that are not let in. */
import type { LightMyRequestResponse } from 'fastify'
import { expect } from 'vitest'
import { HOST, type SendOptions, type TestService } from '../../fixtures/service.js'
import { aToken } from '../provisioning/a-token.js'

export const COMMUNICATION = 'https://communication.azure.com/'
/** What the SDKs ask a token for. */
export const SCOPE = 'https://communication.azure.com//.default'
export const LIST = '/phoneNumbers'
const DENIED = { error: { code: 'Denied', message: 'Denied by the resource provider.' } }

/** A token of the built-in issuer for this API, but for what `claims` say. */
export const tokenFor = (service: TestService, clientId: string, claims: Record<string, unknown> = {}) =>
  aToken(service, { aud: COMMUNICATION, appid: clientId, roles: [], ...claims })

interface Sent extends SendOptions {
  method?: string
  target?: string
  host?: string
}

/** A request with a token; the list of owned numbers unless told. */
export function sendWithToken(
  { server }: Pick<TestService, 'server'>,
  token: string,
  { method = 'GET', target = LIST, host = HOST, body, headers = {} }: Sent = {},
): Promise<LightMyRequestResponse> {
  return server.inject({
    method: method as 'GET',
    url: `${target}?api-version=2025-06-01`,
    headers: {
      host,
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  })
}

export function expectDenied(answer: LightMyRequestResponse): void {
  expect([answer.statusCode, answer.json()]).toEqual([401, DENIED])
  expect(answer.headers).toMatchObject({ 'www-authenticate': 'HMAC-SHA256, Bearer', 'x-ms-error-code': 'Denied' })
}

export function expectForbidden(answer: LightMyRequestResponse, text: string): void {
  expect([answer.statusCode, answer.json()]).toEqual([
    403,
    { error: { code: 'Forbidden', message: expect.stringContaining(text) as string } },
  ])
}

/** What the built-in issuer answers a client that asks for a token. */
export const askForToken = ({ server }: Pick<TestService, 'server'>, clientId: string, secret: string, scope: string) =>
  server.inject({
    method: 'POST',
    url: '/linebook/oauth2/v2.0/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded', host: 'localhost' },
    payload: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: secret,
      scope,
    }).toString(),
  })
