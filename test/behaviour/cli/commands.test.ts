/** Every command that reads or changes something, over HTTP and in process: the same test for both, by a list. */
import type { Command } from 'commander'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processIo } from '../../../src/cli/io.js'
import { programOf } from '../../../src/cli/program.js'
import { commandLineOf, ways, type CommandLine } from '../../fixtures/command-line.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { cases, folder } from './cases.js'

const db = await openTestDatabase()
afterAll(() => db.close())

/** What is tried elsewhere in this folder, or has nothing to do with the APIs. */
const elsewhere = ['serve', 'migrate', 'database stamp', 'stock export', 'job show', 'job wait', 'job cancel']

const leaves = (command: Command, path: string[] = []): string[] =>
  command.commands.length === 0
    ? [path.join(' ')]
    : command.commands.flatMap((below) => leaves(below, [...path, below.name()]))

it('the list has every command', () => {
  const listed = new Set(cases.map(({ args }) => args('a')))
  const isListed = (command: string) => [...listed].some((args) => args.join(' ').startsWith(command))
  const apart = (command: string) => elsewhere.includes(command) || command.startsWith('emulator ')
  expect(leaves(programOf(processIo())).filter((command) => !apart(command) && !isListed(command))).toEqual([])
})

describe.each(ways)('%s', (way) => {
  let service: TestService
  let cli: CommandLine
  beforeAll(async () => {
    service = await createTestService(db)
    await enterStock(db)
    await service.client('local')
    cli = await commandLineOf(service, way)
  })
  afterAll(async () => {
    await cli.close()
    await service.close()
  })

  it.each(cases.map((one) => [one.args('a').slice(0, 2).join(' '), one] as const))('%s', async (_, one) => {
    for (const command of one.given?.('a') ?? []) await cli.prints(...command)
    expect(await cli.prints(...one.args('a'))).toMatch(one.text)
    for (const command of one.given?.('b') ?? []) await cli.prints(...command)
    const json: unknown = JSON.parse(await cli.prints(...one.args('b'), '--json'))
    if (Array.isArray(one.json) || !isPlain(one.json)) expect(json).toEqual(matching(one.json))
    else expect(json).toMatchObject(one.json)
  })

  it('stock export, whose file an import takes back', async () => {
    const file = join(folder, `export-${way.replace(' ', '-')}.csv`)
    const exported = await cli.prints('stock', 'export', '--state', 'available')
    expect(exported).toMatch(/^phoneNumber,[^]*\+12065550100,/)
    expect(await cli.prints('stock', 'export', '--state', 'available', '--output', file)).toBe('')
    expect(await cli.prints('stock', 'import', file)).toMatch(/^0 entered, \d+ already there, 0 bad\.$/m)
    expect((await cli.run(['stock', 'export', '--pool', 'nobody'])).stderr).toMatch(/No resource has a stock "nobody"/)
    expect((await cli.run(['stock', 'export', '--output', '/nowhere/x.csv'])).stderr).toMatch(/x\.csv can't be written/)
  })

  it('stock import takes standard input, and names each bad line', async () => {
    const input = 'phoneNumber\n+12065550190\n+1206\nx\u001b[2J\n'
    const refused = await cli.run(['stock', 'import', '-'], { input })
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(/^line 3: /),
      expect.stringMatching(/^line 4: /),
      'linebook: Nothing was entered (1 would be entered, 0 already there, 2 bad): mend the bad lines, or leave them out with --skip-bad.',
    ])
    expect(refused.stderr).not.toContain('\u001b')
    const dry = await cli.run(['stock', 'import', '-', '--skip-bad', '--dry-run'], { input })
    expect(dry.stdout).toBe('Dry run, nothing was changed: 1 would be entered, 0 already there, 2 bad.\n')
    const kept = await cli.run(['stock', 'import', '-', '--skip-bad'], { input })
    expect(kept).toMatchObject({ code: 0, stdout: '1 entered, 0 already there, 2 bad.\n' })
  })

  it('job show and job wait say how far a job is, and job cancel when it is too late', async () => {
    // Jobs are listed by the time of the clock, which stands still otherwise.
    service.clock.advance(1_000)
    await cli.prints('stock', 'generate', '+12065550180', '1')
    const [{ id }] = JSON.parse(await cli.prints('job', 'list', '--limit', '1', '--json')) as [{ id: string }]
    expect(await cli.prints('job', 'show', id)).toMatch(/succeeded, 1 of 1 numbers$/m)
    expect(JSON.parse(await cli.prints('job', 'wait', id, '--json'))).toMatchObject({ id, state: 'succeeded' })
    expect((await cli.run(['job', 'cancel', id])).stderr).toMatch(/^linebook: The job .* has ended already/)
  })

  it('wallet show without a name has the balances of all, number list has CSV too', async () => {
    await service.client('other')
    await cli.prints('wallet', 'credit', 'other', '7', 'USD')
    expect(await cli.prints('wallet', 'show')).toMatch(/^other: 7\.00 USD$/m)
    const csv = await cli.prints('number', 'list', '--limit', '2', '--csv')
    expect(csv).toMatch(/^e164,state,.*\r\n\+1.*\r\n\+1.*\r\n$/)
    expect(await cli.prints('number', '+1 (206) 555-0100')).toMatch(/^\+12065550100 at /)
  })

  it('resource show has what was said of a buyer, until it is taken back', async () => {
    await service.client('buyer')
    const address = ['--line', '1 Main Street', '--city', 'Dublin', '--postal-code', 'D02 X285']
    for (const country of ['IE', 'US']) await cli.prints('resource', 'address', 'buyer', country, ...address)
    const shown = await cli.prints('resource', 'show', 'buyer')
    expect(shown).toMatch(/^ {2}addresses +IE: 1 Main Street, Dublin, D02 X285$/m)
    expect(shown).toMatch(/US: 1 Main Street, Dublin, D02 X285 \(not valid there: .*\)$/m)
    const taken = ['resource', 'address', 'buyer', 'us', '--remove']
    expect(await cli.prints(...taken)).toBe('buyer has no address in US.\n')
    expect(await cli.prints('resource', 'entitle', 'buyer', 'none')).toBe('buyer may buy nothing.\n')
    expect(await cli.prints('resource', 'entitle', 'buyer', 'all')).toBe('buyer may buy everything.\n')
    expect(await cli.prints('resource', 'limit', 'buyer', 'none')).toBe('buyer may own any number of numbers.\n')
  })

  it.each([
    [['resource', 'limit', 'local', 'few'], /none/],
    [['resource', 'entitle', 'local', 'US:fax'], /^linebook: "US:fax" names no offerings.*\n$/],
    [['resource', 'address', 'local', 'IE'], /--remove/],
    [['resource', 'address', 'local', 'Ireland', '--remove'], /country code/],
    [['resource', 'limit', 'nobody', '1'], /no resource named "nobody"/],
    [['wallet', 'show', 'nobody'], /no resource "nobody"/],
    [['wallet', 'show', '--limit', 'all'], /--limit/],
    [['wallet', 'charge-month', '9999-12'], /has not begun/],
    [['wallet', 'charge-month', 'March'], /is no month/],
    [['stock', 'retire', 'x'], /not an E\.164 number/],
    [['resource', 'show', 'nobody'], /^linebook: There is no resource named "nobody"/],
    [['resource', 'add', 'Local'], /^linebook: /],
    [['wallet', 'credit', 'local', '-100', 'EUR'], /^linebook: .*can't take 100\.00 from it/],
    [['stock', 'retire', '+12'], /^linebook: .*not in the ledger/],
    [['stock', 'import', '/nowhere/x.csv'], /^linebook: "\/nowhere\/x\.csv" can't be read: ENOENT/],
    [['stock', 'export', '--json'], /^linebook: --json: an export is CSV/],
    [['number', 'list', '--csv', '--json'], /cannot be used with option '--json'/],
    [['stock', 'import', '/'], /^linebook: "\/" is a folder/],
    [['number', '+4412345678'], /^linebook: .*\+4412345678/],
    [['number', 'list', '--state', 'lost'], /Allowed choices are available/],
    [['account', 'show', 'nobody'], /^linebook: .*nobody/],
    [['account', 'put', 'no name'], /^linebook: /],
    [['account', 'put', 'x', '--file', '/nowhere/x'], /^linebook: --file: "\/nowhere\/x" can't be read/],
    [['client', 'create', 'x', '--role', 'King'], /^linebook: .*King/],
    [['job', 'show', 'x'], /^linebook: There is no job x/],
  ])('%j ends with 1 and says what is wrong', async (args, message) => {
    const { code, stdout, stderr } = await cli.run(args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
  })
})

const isPlain = (value: unknown): value is object => Object.getPrototypeOf(value) === Object.prototype
const matching = (wanted: unknown): unknown =>
  Array.isArray(wanted) ? wanted.map((item: object) => expect.objectContaining(item) as unknown) : wanted

it.each([
  ['over HTTP', 'client:linebook-admin'],
  ['in process', 'cli:ada'],
] as const)('a change %s is recorded as of %s', async (way, actor) => {
  const service = await createTestService(db)
  await service.client('local')
  const cli = await commandLineOf(service, way)
  await cli.prints('wallet', 'credit', 'local', '1', 'USD')
  expect(JSON.parse(await cli.prints('wallet', 'show', 'local', '--json'))).toMatchObject([{ entries: [{ actor }] }])
  await cli.close()
  await service.close()
})
