/** What each command prints, as text and with `--json`. */
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { onParentExit } from '../../fixtures/on-parent-exit.js'

export const folder = await mkdtemp(join(tmpdir(), 'linebook-cli-'))
await writeFile(join(folder, 'a.csv'), 'phoneNumber,locality\n+12065550150,Seattle\n+12065550151,Seattle\n')
await writeFile(join(folder, 'b.csv'), 'phoneNumber\n+12065550152\n')
await writeFile(
  join(folder, 'account.json'),
  '{"serviceDetails": {"zoomPhoneCloudPeering": {"enabled": true, "syncEnabled": true}}}',
)
// Several files of a process use the cases.
onParentExit(() => rmSync(folder, { recursive: true, force: true }))

export interface Case {
  /** @param n tells two runs apart: the first prints text, the second JSON */
  args: (n: 'a' | 'b') => string[]
  /** Commands before it. */
  given?: (n: 'a' | 'b') => string[][]
  text: RegExp
  json: unknown
}
const read = (args: string[]) => () => args
const addResource = (name: string) => (n: string) => [['resource', 'add', `${name}-${n}`]]
const anything = expect.anything() as unknown

export const cases: readonly Case[] = [
  {
    args: (n) => ['resource', 'add', `new-${n}`],
    text: /^Resource new-a answers to every host.*\n {2}primary key {4}\S{40}/,
    json: { primary: anything, secondary: anything },
  },
  {
    args: read(['resource', 'list']),
    text: /^local +20\d\d-.* any unclaimed host$/m,
    json: expect.arrayContaining([expect.objectContaining({ name: 'local' })]),
  },
  {
    args: read(['resource', 'show', 'local']),
    text: /^local\n {2}hosts +any unclaimed host\n/,
    json: { name: 'local', numberLimit: null },
  },
  {
    args: read(['resource', 'rotate-key', 'local', 'secondary']),
    text: /^New secondary access key of local:\n {2}\S{40}/,
    json: { which: 'secondary', key: anything },
  },
  {
    given: addResource('hosted'),
    args: (n) => ['resource', 'hosts', `hosted-${n}`, `${n}.example`],
    text: /hosted-a answers to a\.example\./,
    json: {},
  },
  {
    args: read(['resource', 'grant', 'local', 'crm', '--issuer', 'built-in']),
    text: /^crm may use local with built-in's access tokens\.$/m,
    json: { clientId: 'crm', issuer: 'built-in' },
  },
  {
    given: () => [['resource', 'grant', 'local', 'bss']],
    args: read(['resource', 'grants', 'local']),
    text: /^bss$/m,
    json: expect.arrayContaining([{ clientId: 'bss', issuer: null }]),
  },
  {
    given: (n) => [['resource', 'grant', 'local', `old-${n}`]],
    args: (n) => ['resource', 'revoke', 'local', `old-${n}`],
    text: /^old-a may not use local any more\.$/m,
    json: {},
  },
  {
    given: addResource('limited'),
    args: (n) => ['resource', 'limit', `limited-${n}`, '25'],
    text: /^limited-a may own 25 numbers\.$/m,
    json: { numberLimit: 25 },
  },
  {
    given: addResource('entitled'),
    args: (n) => ['resource', 'entitle', `entitled-${n}`, 'us', 'IE:tollFree'],
    text: /^entitled-a may buy IE:tollFree, US\.$/m,
    json: { entitledTo: ['IE:tollFree', 'US'] },
  },
  {
    given: addResource('at'),
    args: (n) => [
      'resource',
      'address',
      `at-${n}`,
      'ie',
      '--line',
      '1 Main St',
      '--city',
      'Dublin',
      '--postal-code',
      'x',
    ],
    text: /^at-a has an address in IE\.\nIt is not valid there: /,
    json: { addresses: { IE: { city: 'Dublin' } } },
  },
  { given: addResource('out'), args: (n) => ['resource', 'disable', `out-${n}`], text: /^out-a is shut out/, json: {} },
  {
    given: (n) => [...addResource('in')(n), ['resource', 'disable', `in-${n}`]],
    args: (n) => ['resource', 'enable', `in-${n}`],
    text: /^in-a may use Phone Numbers again\.$/m,
    json: {},
  },
  {
    given: addResource('gone'),
    args: (n) => ['resource', 'remove', `gone-${n}`],
    text: /^gone-a is removed\.$/m,
    json: {},
  },
  {
    args: read(['connection-string', 'local', '--endpoint', 'https://numbers.example/']),
    text: /^endpoint=https:\/\/numbers\.example\/;accesskey=\S{40,}$/m,
    json: { connectionString: anything },
  },
  {
    args: (n) => ['stock', 'import', join(folder, `${n}.csv`)],
    text: /^2 entered, 0 already there, 0 bad\.$/m,
    json: { entered: 1, known: 0, bad: 0 },
  },
  {
    args: read(['stock', 'generate', '+12065550160', '5']),
    text: /^5 entered, 0 already there\.$/m,
    json: { entered: 0, known: 5 },
  },
  {
    args: read(['stock', 'report']),
    text: /^COUNTRY +TYPE.*\nUS /,
    json: { stock: expect.arrayContaining([expect.objectContaining({ numberType: 'geographic' })]) as unknown },
  },
  { args: read(['stock', 'retire', '+12065550102']), text: /^1 retired\.$/m, json: {} },
  {
    given: () => [['stock', 'retire', '+12065550103']],
    args: read(['stock', 'restore', '+12065550103']),
    text: /^1 restored\.$/m,
    json: {},
  },
  {
    args: read(['wallet', 'credit', 'local', '2.5', 'eur']),
    text: /^local has 2\.50 EUR\.$/m,
    json: { resource: 'local', currency: 'EUR', balance: '5.00' },
  },
  {
    given: () => [['wallet', 'credit', 'local', '1', 'USD', '--note', 'first']],
    args: read(['wallet', 'show', 'local']),
    text: /^local: 1\.00 USD\n {2}WHEN +WHAT.*\n.* credit +\+1\.00 .* first$/m,
    json: expect.arrayContaining([expect.objectContaining({ resource: 'local', currency: 'USD' })]),
  },
  { args: read(['wallet', 'charge-month']), text: /^2026-03: nothing was charged\.$/m, json: { month: '2026-03' } },
  {
    args: read(['number', 'show', '+12065550100']),
    text: /^\+12065550100 at .*\n\nLedger +available/,
    json: { e164: '+12065550100' },
  },
  {
    args: read(['number', 'list', '--prefix', '+1206555010', '--limit', '2']),
    text: /^NUMBER .*\n\+12065550100 +available .*\n\+12065550101 .*\n$/,
    json: [{ e164: '+12065550100' }, { e164: '+12065550101' }],
  },
  {
    args: (n) => ['account', 'put', `fabrikam-${n}`, '--service', 'zoomPhoneCloudPeering'],
    text: /^fabrikam-a\n[^]*zoomPhoneCloudPeering: 0 numbers/,
    json: { name: 'fabrikam-b' },
  },
  {
    given: () => [['account', 'put', 'listed', '--file', join(folder, 'account.json')]],
    args: read(['account', 'list']),
    text: /^listed +\w+ +zoomPhoneCloudPeering \(0\)$/m,
    json: expect.arrayContaining([expect.objectContaining({ name: 'listed' })]),
  },
  {
    given: () => [['account', 'put', 'shown', '--correlation-id', 'crm-7']],
    args: read(['account', 'show', 'shown']),
    text: /^shown\n[^]*correlation +crm-7\n/,
    json: { name: 'shown', correlationId: 'crm-7' },
  },
  {
    given: (n) => [['account', 'put', `deleted-${n}`]],
    args: (n) => ['account', 'delete', `deleted-${n}`, '--with-numbers'],
    text: /^Account deleted-a is deleted\.$/m,
    json: {},
  },
  {
    args: (n) => ['client', 'create', `billing-${n}`, '--role', 'Operator.Read'],
    text: /^Client billing-a has Operator\.Read\.\n {2}secret {2}\S+\n/,
    json: { clientId: 'billing-b', secret: anything },
  },
  {
    given: (n) => [['client', 'create', `listed-${n}`]],
    args: read(['client', 'list']),
    text: /^listed-a +20\d\d-.* secret/m,
    json: expect.arrayContaining([expect.objectContaining({ clientId: 'listed-b' })]),
  },
  {
    given: (n) => [['client', 'create', `rotated-${n}`]],
    args: (n) => ['client', 'rotate-secret', `rotated-${n}`],
    text: /^New secret of rotated-a:\n {2}\S+$/m,
    json: { secret: anything },
  },
  {
    given: (n) => [['client', 'create', `gone-${n}`]],
    args: (n) => ['client', 'delete', `gone-${n}`],
    text: /^Client gone-a is removed\.$/m,
    json: {},
  },
  {
    args: read(['client', 'rotate-keys']),
    text: /^Tokens are now signed with the key \S+\.$/m,
    json: { kid: anything },
  },
  { args: read(['status']), text: /, says .*\n\nSERVICE /, json: { services: anything, purchases: [] } },
  { args: read(['items', '--status', 'failed']), text: /^Nothing was refused\.$/m, json: [] },
  {
    args: read(['requeue', '--service', 'oc']),
    text: /^Nothing to try again\.$/m,
    json: { services: [], untouched: [] },
  },
  { args: read(['operations']), text: /^There is no such operation\.$/m, json: [] },
  {
    given: () => [['stock', 'generate', '+12065550170', '1']],
    args: read(['job', 'list', '--state', 'succeeded']),
    text: /^\S{36} {2}.* stock-generate by .*: succeeded, 1 of 1 numbers$/m,
    json: expect.arrayContaining([expect.objectContaining({ kind: 'stock-generate' })]),
  },
  {
    args: read(['info']),
    text: /^Linebook \d.* emulator mode, says /,
    json: { mode: 'emulator', apis: ['phone-numbers', 'provisioning'] },
  },
  {
    args: read(['settings']),
    text: /^LINEBOOK_SECRET_KEY +default +\(not set\)$/m,
    json: expect.arrayContaining([expect.objectContaining({ name: 'DATABASE_URL' })]),
  },
]
