/** `linebook emulator` against an emulator that listens; and `--help` of every command. */
import type { Command } from 'commander'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { processIo } from '../../../src/cli/io.js'
import { programOf } from '../../../src/cli/program.js'
import { aSearch, buy, US } from '../../fixtures/buying.js'
import { commandLineOf, runInThisProcess, type CommandLine } from '../../fixtures/command-line.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { countIn } from '../../fixtures/failing.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-emulator-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let service: TestService
let cli: CommandLine
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client('local')
  await enterStock(db)
  cli = await commandLineOf(service, 'over HTTP')
})
afterEach(async () => {
  await cli.close()
  await service.close()
})

describe('linebook emulator', () => {
  const prints = (...args: string[]) => cli.prints('emulator', ...args)

  it('takes snapshots, goes back to them and removes them', async () => {
    expect(await prints('snapshots')).toBe('There is no snapshot.\n')
    expect(await prints('snapshot', 'clean')).toMatch(/clean is taken/)
    await buy(buyer)
    expect(await countIn(db, 'owned')).toBe(1)
    expect(await prints('restore', 'clean')).toMatch(/^Everything is as it was at 20\d\d-/)
    expect(await countIn(db, 'owned')).toBe(0)
    expect(await prints('snapshots')).toMatch(/^clean +20\d\d-/m)
    expect(await prints('snapshots', '--remove', 'clean')).toMatch(/removed/)
  })

  it('moves the clock and puts it back', async () => {
    expect(await prints('clock')).toMatch(/real time\n$/)
    expect(await prints('clock', '--advance', 'PT16M')).toMatch(/ 960000 ms from real time/)
    expect(await prints('clock', '--advance', '500')).toMatch(/ 960500 ms from real time/)
    expect(await prints('clock', '--set', '2090-01-01T00:00:00Z')).toMatch(/^2090-01-01T00:00:00/)
    expect(await prints('clock', '--real')).toMatch(/real time\n$/)
  })

  it('makes, lists and removes resources', async () => {
    const file = join(folder, 'stock.json')
    await writeFile(file, '[{"countryCode": "US", "phoneNumberType": "tollFree", "areaCode": "800", "quantity": 2}]')
    const made = await prints('resource', 'shop', '--stock', `@${file}`, '--wallet', '25USD', '12.50 eur')
    expect(made).toMatch(/Resource shop has 2 numbers to itself\.\n {2}endpoint=\S+;accesskey=\S+$/m)
    expect(JSON.parse(await prints('resource', '--no-stock', '--json'))).toMatchObject({ phoneNumbers: [] })
    expect(await prints('resources')).toMatch(/^shop +20\d\d-.* 2 numbers$/m)
    expect(await prints('resources', '--remove', 'shop')).toMatch(/removed/)
    expect(await prints('resources')).not.toMatch(/^shop/m)
  })

  it('scripts operations and moves them on', async () => {
    const id = (await prints('script', '--operation', 'search', '--by-hand', '--times', '1')).split(' ')[0] as string
    await buyer.send('POST', `${US}/:search`, { body: aSearch() })
    const operation = /^search_\S+/.exec(await prints('operations', '--resource', 'local'))?.[0] as string
    expect(await prints('operation', operation, 'running')).toMatch(/is running/)
    expect(await prints('operation', operation, 'succeeded')).toMatch(/is succeeded/)
    expect((await buyer.send('GET', `/phoneNumbers/operations/${operation}`)).json()).toMatchObject({
      status: 'succeeded',
    })
    expect(await prints('scripts')).toMatch(new RegExp(`^${id} +search: goes by hand, 0 of 1 left`))
    await prints('scripts', '--remove', id)
    await prints('script', '--fail', 'Own', '--message', 'No.', '--after', 'PT1S')
    expect(await prints('scripts')).toMatch(/every operation: fails with Own after 1000 ms/)
    await prints('scripts', '--clear')
    expect(await prints('scripts')).toBe('There are no scripts.\n')
  })

  it('asks for faults and ends them', async () => {
    const options = ['--status', '503', '--retry-after', '1', '--probability', '0.5', '--seed', '3', '--times', '9']
    expect(await prints('fault', 'GET /phoneNumbers/*', 'answer', ...options)).toMatch(
      /GET \/phoneNumbers\/\*: answer 503, 0\.5 of the time; struck 0 of 0, at most 9/,
    )
    await prints('fault', 'PhoneNumbers_ListPhoneNumbers', 'delay', '--delay', '5')
    expect((await prints('faults')).split('\n')).toHaveLength(3)
    await prints('faults', '--clear')
    expect(await prints('faults')).toBe('There are no faults.\n')
  })

  it('resets', async () => {
    await prints('clock', '--advance', 'P1D')
    expect(await prints('reset')).toMatch(/fresh/)
    expect(await prints('clock')).toMatch(/real time\n$/)
  })

  it.each([
    [['clock', '--advance', 'soon'], /^linebook: advance must be milliseconds/],
    [['clock', '--real', '--advance', '5'], /^linebook: Give one of/],
    [['restore', 'unknown'], /^linebook: There is no snapshot unknown/],
    [['snapshot', 'Big'], /^linebook: "Big" can't name a snapshot/],
    [['fault', 'Nothing', 'cut'], /^linebook: route "Nothing" is no operation/],
    [['fault', 'GET /x', 'explode'], /^linebook: effect .*answer, delay, cut, lose-answer/],
    [['script', '--polls', '0'], /^linebook: polls/],
    [['operation', 'search_x', 'failed'], /^linebook: error is needed/],
    [['resource', '--stock', '{'], /^linebook: --stock: that is not JSON/],
    [['resource', '--wallet', 'much'], /An amount and a currency/],
  ])('%j ends with 1 and says what is wrong', async (args, message) => {
    const { code, stdout, stderr } = await cli.run(['emulator', ...args])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
  })

  it.each([
    ['linebook-reader', 'linebook-standin', /^linebook: This needs the role ProvisioningAPI\.Admin/],
    ['linebook-admin', 'wrong', /^linebook: .* gave no token to the client linebook-admin/],
  ])('is not for %s with the secret %s', async (clientId, clientSecret, message) => {
    const env = { LINEBOOK_CLIENT_ID: clientId, LINEBOOK_CLIENT_SECRET: clientSecret }
    expect((await runInThisProcess(['emulator', 'clock', '--url', cli.url], { env })).stderr).toMatch(message)
  })
})

it('--help of every command ends with 0 and shows examples', async () => {
  const paths = pathsOf(programOf(processIo()))
  expect(paths.map((path) => path.join(' '))).toEqual(
    expect.arrayContaining(['', 'serve', 'migrate', 'resource', 'resource add', 'connection-string']),
  )
  for (const path of paths) {
    const result = await runInThisProcess([...path, '--help'], {})
    expect(result, path.join(' ')).toMatchObject({ code: 0, stderr: '' })
    expect(result.stdout, path.join(' ')).toMatch(/^Examples?:\n {2}\$ .*linebook/m)
  }
})

/** Of a command and of all commands below it. */
const pathsOf = (command: Command, path: string[] = []): string[][] => [
  path,
  ...command.commands.flatMap((below) => pathsOf(below, [...path, below.name()])),
]
