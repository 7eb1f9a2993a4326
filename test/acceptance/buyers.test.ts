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
    // On the folder itself, before a server has it. Every purchase of the resource has to be paid from now on.
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
  const giveAddress = (postalCode: string) =>
    run(
      ...['resource', 'address', 'local', 'US', '--line', '1 Main Street', '--city', 'Seattle', '--state', 'WA'],
      ...['--postal-code', postalCode],
    )

  it('an SDK client meets each refusal for a cause that a person has set, and buys when it is mended', async () => {
    await expect(search()).rejects.toThrow('need an address')
    await giveAddress('1')
    await expect(search()).rejects.toThrow('"1" is not a postal code of US')
    await giveAddress('98101')
    await run('resource', 'entitle', 'local', 'US:tollFree')
    await expect(search()).rejects.toThrow('may not acquire geographic numbers of US')
    await run('resource', 'entitle', 'local', 'all')
    await run('resource', 'limit', 'local', '2')
    await expect(search(3)).rejects.toThrow('limit of owned numbers is 2')
    const poor = await search(2)
    await expect(purchase(poor.searchId)).rejects.toThrow('costs 2.50 USD and the wallet has 0.00')
    await run('wallet', 'credit', 'local', '3', 'USD')
    const found = await search(2)
    const [gone = '', kept = ''] = found.phoneNumbers
    await run('stock', 'retire', '--held', gone)
    await expect(purchase(found.searchId)).rejects.toThrow('1 of 2 numbers were acquired')
    expect((await client.getPurchasedPhoneNumber(kept)).phoneNumber).toBe(kept)
    expect(await run('wallet', 'show', 'local', '--limit', '0')).toContain('local: 1.75 USD')
    expect(await run('resource', 'show', 'local')).toMatch(/^ {2}numbers +1 owned$/m)
  })
})
