/** Both generations of the official client, connected to a running server over either scheme. */
import {
  PhoneNumbersClient,
  SipRoutingClient,
  type BeginReleasePhoneNumberOptions,
  type PhoneNumberSearchResult,
  type PhoneNumbersClientOptions,
  type SearchAvailablePhoneNumbersRequest,
} from '@azure/communication-phone-numbers'
import { PhoneNumbersClient as PhoneNumbersClientV1 } from 'azure-phone-numbers-v1'
import { readFileSync } from 'node:fs'
import { globalAgent } from 'node:https'
import type { Linebook, Scheme } from '../fixtures/linebook-process.js'
import { signature } from './signed-fetch.js'

type PipelinePolicy = NonNullable<PhoneNumbersClientOptions['additionalPolicies']>[number]['policy']

export const schemes = ['http', 'https'] as const satisfies readonly Scheme[]

/** Poller options: 1.5.0 hands the interval to its poller for every operation, though it declares it for one only. */
export const quickly: BeginReleasePhoneNumberOptions & { updateIntervalInMs: number } = { updateIntervalInMs: 20 }

export const connect = (linebook: Linebook, scheme: Scheme = 'http'): PhoneNumbersClient =>
  new PhoneNumbersClient(linebook.connectionString(scheme), transportOptions(linebook, scheme))

/** By address and key: only this constructor honours `acceptLanguage`. */
export const connectWithKey = (
  linebook: Linebook,
  scheme: Scheme,
  options: PhoneNumbersClientOptions & { key?: string },
): PhoneNumbersClient => {
  const { key = accessKeyOf(linebook.connectionString(scheme)), ...rest } = options
  const url = scheme === 'http' ? linebook.httpUrl : linebook.httpsUrl
  return new PhoneNumbersClient(url, { key }, { ...transportOptions(linebook, scheme), ...rest })
}

export const connectSipRouting = (linebook: Linebook, scheme: Scheme): SipRoutingClient =>
  new SipRoutingClient(linebook.connectionString(scheme), transportOptions(linebook, scheme))

/** Signs each attempt anew, as the clients for Python and .NET do; this one would sign before its first attempt only. */
export function signingEachAttempt(key: string) {
  const signatures: string[] = []
  const policy: PipelinePolicy = {
    name: 'signingEachAttempt',
    sendRequest: (request, next) => {
      const { host, pathname, search: query } = new URL(request.url)
      const content = typeof request.body === 'string' ? request.body : ''
      const date = new Date(Date.now() + signatures.length * 1_000).toUTCString()
      const signed = signature(key, { method: request.method, target: `${pathname}${query}`, host, content, date })
      for (const [name, value] of Object.entries(signed)) request.headers.set(name, value)
      signatures.push(signed['authorization'] as string)
      return next(request)
    },
  }
  return { signatures, policies: [{ policy, position: 'perRetry' as const }] }
}

const transportOptions = ({ certFile }: Linebook, scheme: Scheme): PhoneNumbersClientOptions =>
  scheme === 'http' ? { allowInsecureConnection: true } : { tlsOptions: { ca: readFileSync(certFile) } }

/**
 * The first release. Its transport takes no certificate, but without keep-alive it goes through Node's global agent,
 * which does. It speaks plain HTTP without being asked to.
 */
export function connectV1(linebook: Linebook, scheme: Scheme): PhoneNumbersClientV1 {
  if (scheme === 'https') globalAgent.options.ca = readFileSync(linebook.certFile)
  return new PhoneNumbersClientV1(linebook.connectionString(scheme), { keepAliveOptions: { enable: false } })
}

/** Sets the interval of a poller of the first release, which is two seconds and not an option. */
export const hasten = <Poller extends object>(poller: Poller): Poller => Object.assign(poller, { intervalInMs: 20 })

export const accessKeyOf = (connectionString: string): string => /accesskey=(\S+)/i.exec(connectionString)?.[1] ?? ''

type Wanted = Partial<SearchAvailablePhoneNumbersRequest>

/** A search that finds something: one number in the United States that an application can be called on. */
export const aSearch = (wanted: Wanted = {}): SearchAvailablePhoneNumbersRequest => ({
  countryCode: 'US',
  phoneNumberType: 'geographic',
  assignmentType: 'application',
  capabilities: { calling: 'inbound', sms: 'none' },
  quantity: 1,
  ...wanted,
})

export async function search(client: PhoneNumbersClient, wanted?: Wanted): Promise<PhoneNumberSearchResult> {
  const poller = await client.beginSearchAvailablePhoneNumbers(aSearch(wanted), quickly)
  return poller.pollUntilDone()
}

export async function purchase(client: PhoneNumbersClient, searchId: string): Promise<void> {
  const poller = await client.beginPurchasePhoneNumbers(searchId, quickly)
  await poller.pollUntilDone()
}

/** Searches and purchases; returns the numbers. */
export async function buy(client: PhoneNumbersClient, wanted?: Wanted): Promise<[string, ...string[]]> {
  const { searchId, phoneNumbers } = await search(client, wanted)
  await purchase(client, searchId)
  if (!isFilled(phoneNumbers)) throw new Error('the search found nothing to purchase')
  return phoneNumbers
}

const isFilled = (list: string[]): list is [string, ...string[]] => list.length > 0

export async function release(client: PhoneNumbersClient, phoneNumber: string): Promise<void> {
  const poller = await client.beginReleasePhoneNumber(phoneNumber, quickly)
  await poller.pollUntilDone()
}

export async function owned(client: PhoneNumbersClient): Promise<string[]> {
  const numbers: string[] = []
  for await (const { phoneNumber } of client.listPurchasedPhoneNumbers()) numbers.push(phoneNumber)
  return numbers
}

export async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of list) items.push(item)
  return items
}
