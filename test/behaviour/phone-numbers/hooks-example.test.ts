/** The example of docs/hooks.md, as it stands there, does what the page asks of it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { searchErrorCodes } from '../../../src/phone-numbers/model/search.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { aHookedBuyer } from './a-hooked-buyer.js'

const db = await openTestDatabase()
const page = await readFile(new URL('../../../docs/hooks.md', import.meta.url), 'utf8')

let folder: string
let example: ChildProcess
let url: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-example-'))
  const [, code = ''] = /```js\n([^]*?)```/.exec(page) ?? []
  const file = join(folder, 'billing.mjs')
  await writeFile(file, code)
  example = spawn(process.execPath, [file], {
    env: { PORT: '0', HOOK_SECRET: 'hook-secret' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { stdout } = example
  if (!stdout) throw new Error('The example has no output.')
  url = await new Promise<string>((resolve, reject) => {
    createInterface(stdout).on('line', (line) => resolve(/http:\S+/.exec(line)?.[0] ?? line))
    example.once('exit', () => reject(new Error('The example ended before it listened.')))
  })
})
afterAll(async () => {
  example.kill()
  await rm(folder, { recursive: true, force: true })
  await db.close()
})

it('approves, refuses, and takes back for good', async () => {
  const shop = await aHookedBuyer(db, 'fulfilment', { env: { LINEBOOK_BILLING_HOOK_URL: url } })
  try {
    const few = await shop.order(1)
    await shop.settle()
    expect(await shop.poll(few.id)).toMatchObject({ status: 'succeeded' })

    shop.fulfilment.say = ({ action }) => (action === 'provision' ? { status: 422 } : undefined)
    const undone = await shop.order(1)
    await shop.settle()
    expect(await shop.poll(undone.id)).toMatchObject({ status: 'failed', error: { code: 'ProvisioningFailed' } })
    const late = await fetch(url, {
      method: 'POST',
      headers: { Authorization: 'Bearer hook-secret', 'Idempotency-Key': undone.id },
      body: JSON.stringify({ action: 'approve', phoneNumbers: [] }),
    })
    expect(late.status).toBe(409)
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
  } finally {
    await shop.close()
  }
  const crowd = await aHookedBuyer(db, 'none', { env: { LINEBOOK_BILLING_HOOK_URL: url } })
  try {
    const many = await crowd.order(4)
    await crowd.settle()
    expect(await crowd.poll(many.id)).toMatchObject({ status: 'failed', error: { code: 'NotEnoughCredit' } })
  } finally {
    await crowd.close()
  }
})

it('the page names every code that billing may refuse with', () => {
  for (const code of Object.keys(searchErrorCodes)) expect(page).toContain(`\`${code}\``)
})
