/** The program dies, or is stopped, in the middle of calls to billing and fulfilment. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect, owned, search } from '../acceptance/clients.js'
import { signedFetch } from '../acceptance/signed-fetch.js'
import { startHookSystem, type HookSystem, type SeenCall } from '../fixtures/hook-system.js'
import { runLinebook, startLinebook, type Linebook, type LinebookOptions } from '../fixtures/linebook-process.js'

/** That are at fulfilment when the program is killed. */
const PURCHASES = 4

let folder: string
let billing: HookSystem
let fulfilment: HookSystem
const running: Linebook[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-hooks-'))
  ;[billing, fulfilment] = await Promise.all([startHookSystem(), startHookSystem()])
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((linebook) => linebook.stop()))
  await Promise.all([billing.close(), fulfilment.close()])
  await rm(folder, { recursive: true, force: true })
})

const optionsWith = (timeoutMs: number): LinebookOptions => ({
  dataDir: folder,
  env: {
    LINEBOOK_BILLING_HOOK_URL: billing.url,
    LINEBOOK_FULFILMENT_HOOK_URL: `${fulfilment.url}/linebook?key=1`,
    LINEBOOK_HOOK_SECRET: 'hook-secret',
    LINEBOOK_HOOK_TIMEOUT_MS: `${timeoutMs}`,
  },
})

async function start(options: LinebookOptions): Promise<Linebook> {
  const linebook = await startLinebook(options)
  running.push(linebook)
  return linebook
}

/** Holds calls back until released; then they are acted on, whoever still waits for the answer. Repeats count once. */
function holdBack(system: HookSystem, which: (call: SeenCall) => boolean): { count(): number; release(): void } {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const keys = new Set<string>()
  system.onCall = (call) => {
    if (!which(call)) return
    keys.add(call.key)
    return released
  }
  return { count: () => keys.size, release: () => release() }
}

async function order(linebook: Linebook): Promise<{ id: string; phoneNumbers: string[] }> {
  const { searchId, phoneNumbers } = await search(connect(linebook), { quantity: 2 })
  const answer = await signedFetch(linebook, '/availablePhoneNumbers/:purchase', { method: 'POST', body: { searchId } })
  expect(answer.status).toBe(202)
  return { id: `purchase_${searchId}`, phoneNumbers }
}

async function statusOf(linebook: Linebook, id: string): Promise<string> {
  const { body } = await signedFetch(linebook, `/phoneNumbers/operations/${id}`)
  return (body as { status: string }).status
}

/** The purchase was done once at both systems, for all of its numbers. */
const expectOneEffect = ({ id, phoneNumbers }: { id: string; phoneNumbers: string[] }) => {
  for (const { effects } of [billing, fulfilment]) {
    expect(effects.get(id)).toEqual({ times: 1, numbers: phoneNumbers, undone: false })
  }
}

describe('purchases whose calls are under way', () => {
  it('are finished after a kill -9, with one effect each', async () => {
    const options = optionsWith(3_000)
    const first = await start(options)
    const provisioned = holdBack(fulfilment, ({ action }) => action === 'provision')
    const orders: { id: string; phoneNumbers: string[] }[] = []
    while (orders.length < PURCHASES) orders.push(await order(first))
    await expect.poll(provisioned.count).toBe(PURCHASES)
    const approved = holdBack(billing, ({ action }) => action === 'approve')
    orders.push(await order(first))
    await expect.poll(approved.count).toBe(1)
    expect(await statusOf(first, orders.at(-1)?.id ?? '')).toBe('running')
    await first.kill()
    approved.release()
    provisioned.release()

    const second = await start(options)
    for (const { id } of orders) await expect.poll(() => statusOf(second, id)).toBe('succeeded')
    for (const each of orders) expectOneEffect(each)
    expect((await owned(connect(second))).sort()).toEqual(orders.flatMap(({ phoneNumbers }) => phoneNumbers).sort())
  })

  it('keep the program from stopping for a few seconds only, and go on when it starts again', async () => {
    const options = optionsWith(60_000)
    const first = await start(options)
    const held = holdBack(billing, () => true)
    const ordered = await order(first)
    await expect.poll(held.count).toBe(1)
    expect((await runLinebook(['status', '--data-dir', folder])).stdout).toMatch(
      new RegExp(`1 purchase waits for billing to approve\\.\\n.*${ordered.id} of resource`),
    )
    expect(await first.stop()).toBe(0)
    held.release()
    const second = await start(options)
    await expect.poll(() => statusOf(second, ordered.id)).toBe('succeeded')
    expectOneEffect(ordered)
    expect(billing.actions()).toEqual(['approve', 'approve'])
  })
})
