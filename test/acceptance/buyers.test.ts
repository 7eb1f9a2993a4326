/** Terms and money of resources from the command line: on a data folder, and while an emulator runs on it. */
import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runLinebook, startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { connect, quickly } from './clients.js'

let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'linebook-buyers-'))
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runLinebook([...args, '--data-dir', dataDir])
  expect({ code, stderr }, args.join(' ')).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('with a data folder', () => {
  let linebook: Linebook
  let client: PhoneNumbersClient
  beforeAll(async () => {
    const first = await startLinebook({ dataDir })
    await first.stop()
    // On the folder itself, while no server has it. Every purchase of the resource has to be paid from now on.
    expect(await run('wallet', 'credit', 'local', '0', 'usd')).toBe('local has 0.00 USD.\n')
    const catalogue = join(dataDir, 'catalogue.json')
    await writeFile(catalogue, JSON.stringify({ countries: [{ countryCode: 'US', offerings: [anOffering] }] }))
    linebook = await startLinebook({ dataDir, flags: ['--catalogue-file', catalogue] })
    client = connect(linebook, 'http')
  })
  afterAll(() => linebook?.stop())
  const anOffering = {
    phoneNumberType: 'geographic',
    assignmentType: 'application',
    availableCapabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' },
    cost: { amount: '1.25', currencyCode: 'USD' },
    isAgreementToNotResellRequired: false,
    isAddressRequired: true,
  }

  const search = async (quantity = 1) => {
    const capabilities = { calling: 'inbound', sms: 'none' } as const
    const poller = await client.beginSearchAvailablePhoneNumbers(
      { countryCode: 'US', phoneNumberType: 'geographic', assignmentType: 'application', capabilities, quantity },
      quickly,
    )
    return poller.pollUntilDone()
  }
  const purchase = async (searchId: string) => {
    const poller = await client.beginPurchasePhoneNumbers(searchId, quickly)
    await poller.pollUntilDone()
  }
  /** As an operator's own system does it; each command spawned would take a second. */
  const operator = async (method: string, path: string, body: object) => {
    const response = await fetch(`${linebook.httpUrl}/operator/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${await tokenOf(linebook)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  }
  const setTerms = (terms: object) => operator('PATCH', '/resources/local/terms', terms)
  const giveAddress = (postalCode: string) =>
    setTerms({ addresses: { US: { line: '1 Main Street', city: 'Seattle', state: 'WA', postalCode } } })

  it('an SDK client meets each refusal for a cause that a person has set, and buys when it is mended', async () => {
    await expect(search()).rejects.toThrow('need an address')
    await giveAddress('1')
    await expect(search()).rejects.toThrow('"1" is not a postal code of US')
    await giveAddress('98101')
    await setTerms({ entitledTo: ['US:tollFree'] })
    await expect(search()).rejects.toThrow('may not acquire geographic numbers of US')
    await setTerms({ entitledTo: null, numberLimit: 2 })
    await expect(search(3)).rejects.toThrow('limit of owned numbers is 2')
    const poor = await search(2)
    await expect(purchase(poor.searchId)).rejects.toThrow('costs 2.50 USD and the wallet has 0.00')
    await operator('POST', '/resources/local/wallets', { amount: '3', currency: 'USD' })
    const found = await search(2)
    const [gone = '', kept = ''] = found.phoneNumbers
    await operator('POST', '/stock/retire', { phoneNumbers: [gone], held: true })
    await expect(purchase(found.searchId)).rejects.toThrow('1 of 2 numbers were acquired')
    expect((await client.getPurchasedPhoneNumber(kept)).phoneNumber).toBe(kept)
    const shown = await run('resource', 'show', 'local')
    expect(shown).toMatch(/^ {2}numbers +1 owned$/m)
    expect(shown).toMatch(/^ {2}wallets +1\.75 USD$/m)
  })
})

/** Of the administrator that every emulator knows. */
async function tokenOf({ httpUrl }: Linebook): Promise<string> {
  const response = await fetch(`${httpUrl}/linebook/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'linebook-admin',
      client_secret: 'linebook-standin',
      scope: 'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net/.default',
    }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}
