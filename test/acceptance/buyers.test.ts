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

async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runLinebook([...args, '--data-dir', dataDir])
  expect({ code, stdout }, args.join(' ')).toEqual({ code: 1, stdout: '' })
  return stderr
}

describe('on a data folder', () => {
  it('wallets and terms are set, and refusals told', async () => {
    expect(await run('wallet', 'credit', 'local', '2.5', 'eur')).toBe('local has 2.50 EUR.\n')
    expect(await run('wallet', 'credit', 'local', '-2.5', 'EUR')).toBe('local has 0.00 EUR.\n')
    expect(await refused('wallet', 'credit', 'local', '-1', 'EUR')).toMatch(
      /^linebook: .*can't take 1\.00 from it\.\n$/,
    )
    expect(await run('resource', 'limit', 'local', '25')).toBe('local may own 25 numbers.\n')
    expect(await run('resource', 'entitle', 'local', 'US')).toBe('local may buy US.\n')
    expect(await run('resource', 'show', 'local')).toMatch(/^ {2}limit +25 numbers$/m)
    expect(await refused('resource', 'show', 'nobody')).toContain('no resource "nobody"')
    expect(await run('wallet', 'charge-month')).toContain('nothing was charged')
    expect(await run('stock', 'retire', '--held', '+14255550100')).toBe('1 retired.\n')
    expect(await refused('stock', 'retire', '+12')).toContain('not in the ledger')
  })
})

describe('while an emulator runs on the data folder, which the commands then ask', () => {
  let linebook: Linebook
  let client: PhoneNumbersClient
  beforeAll(async () => {
    // Every purchase of this folder's resource now has to be paid: it has wallets.
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

  it('money is credited, corrected and shown with its journal', async () => {
    expect(await run('wallet', 'credit', 'local', '25', 'usd', '--note', 'invoice 7')).toBe('local has 25.00 USD.\n')
    expect(await run('wallet', 'credit', 'local', '-12.5', 'USD')).toBe('local has 12.50 USD.\n')
    expect(await run('wallet', 'show')).toBe('local: 0.00 EUR\nlocal: 12.50 USD\n')
    const shown = await run('wallet', 'show', 'local')
    expect(shown).toMatch(/^ {2}WHEN +WHAT +AMOUNT +BALANCE +NUMBERS +WHO +ABOUT$/m)
    expect(shown).toMatch(/ credit +\+25\.00 +25\.00 .* invoice 7$/m)
    expect(shown).toMatch(/ credit +-12\.50 +12\.50 .* credit$/m)
    const json = JSON.parse(await run('wallet', 'show', 'local', '--limit', '1', '--json')) as object[]
    expect(json).toMatchObject([{ currency: 'EUR' }, { currency: 'USD', entries: [{ amount: '-12.50' }] }])
    expect(await run('wallet', 'credit', 'local', '-12.5', 'USD')).toContain('0.00')
  })

  it('what is wrong about money is told in one line', async () => {
    expect(await refused('wallet', 'credit', 'local', '-1', 'USD')).toMatch(
      /^linebook: .*can't take 1\.00 from it\.\n$/,
    )
    expect(await refused('wallet', 'credit', 'local', '1.23456', 'USD')).toContain('is no amount')
    expect(await refused('wallet', 'credit', 'local', '1', 'dollar')).toContain('is no currency')
    expect(await refused('wallet', 'credit', 'nobody', '1', 'USD')).toContain('no resource "nobody"')
    expect(await refused('wallet', 'show', 'nobody')).toContain('no resource "nobody"')
    expect(await refused('wallet', 'show', '--limit', 'all')).toContain('--limit')
    expect(await refused('wallet', 'charge-month', '9999-12')).toContain('has not begun')
    expect(await refused('wallet', 'charge-month', 'March')).toContain('is no month')
  })

  it('a month is charged', async () => {
    const month = new Date().toISOString().slice(0, 7)
    expect(await run('wallet', 'charge-month')).toMatch(/^\d{4}-\d{2}: nothing was charged\.\n$/)
    const json = JSON.parse(await run('wallet', 'charge-month', month, '--json')) as object
    expect(json).toEqual({ month, charged: [], chargedBefore: 0, belowZero: [], withoutWallet: [] })
  })

  it('terms are set and shown', async () => {
    expect(await run('resource', 'limit', 'local', '25')).toBe('local may own 25 numbers.\n')
    expect(await run('resource', 'entitle', 'local', 'us:tollFree', 'IE')).toBe('local may buy IE, US:tollFree.\n')
    const address = ['--line', '1 Main Street', '--city', 'Dublin', '--postal-code']
    expect(await run('resource', 'address', 'local', 'ie', ...address, 'D02 X285')).toBe(
      'local has an address in IE.\n',
    )
    expect(await run('resource', 'address', 'local', 'US', ...address, 'D02 X285')).toContain('not valid there')
    const shown = await run('resource', 'show', 'local')
    expect(shown).toMatch(/^ {2}limit +25 numbers$/m)
    expect(shown).toMatch(/^ {2}may buy +IE, US:tollFree$/m)
    expect(shown).toMatch(/^ {2}addresses +IE: 1 Main Street, Dublin, D02 X285$/m)
    expect(shown).toMatch(/US: 1 Main Street, Dublin, D02 X285 \(not valid there: .*\)$/m)
    const json = JSON.parse(await run('resource', 'show', 'local', '--json')) as object
    expect(json).toMatchObject({ numberLimit: 25, numbers: { owned: 0, underWay: 0 } })
    expect(await run('resource', 'address', 'local', 'US', '--remove')).toBe('local has no address in US.\n')
    expect(await run('resource', 'entitle', 'local', 'none')).toBe('local may buy nothing.\n')
    expect(await run('resource', 'entitle', 'local', 'all')).toBe('local may buy everything.\n')
    expect(await run('resource', 'limit', 'local', 'none')).toBe('local may own any number of numbers.\n')
  })

  it('what is wrong about terms is told in one line', async () => {
    expect(await refused('resource', 'limit', 'local', 'few')).toContain('none')
    expect(await refused('resource', 'entitle', 'local', 'US:fax')).toMatch(
      /^linebook: "US:fax" names no offerings.*\n$/,
    )
    expect(await refused('resource', 'address', 'local', 'IE')).toContain('--remove')
    expect(await refused('resource', 'address', 'local', 'Ireland', '--remove')).toContain('country code')
    for (const what of [['show'], ['limit', '1'], ['entitle', 'all'], ['address', 'IE', '--remove']]) {
      const [command = '', ...rest] = what
      expect(await refused('resource', command, 'nobody', ...rest)).toContain('no resource "nobody"')
    }
  })

  it('stock is retired and restored', async () => {
    expect(await run('stock', 'retire', '+14255550100', '+14255550101')).toBe('2 retired.\n')
    expect(await run('stock', 'restore', '+14255550100', '+14255550101')).toBe('2 restored.\n')
    expect(await refused('stock', 'retire', '+12')).toContain('not in the ledger')
    expect(await refused('stock', 'retire', 'x')).toContain('not an E.164 number')
  })

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
