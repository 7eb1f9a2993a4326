/** Snapshots, going back to them, and beginning anew. */
import { describe, expect } from 'vitest'
import { revealResource, EMULATOR_ACCESS_KEY } from '../../../src/auth/resources.js'
import { raw, sql, type Db } from '../../../src/db/db.js'
import { readTables } from '../../../src/emulator/state/tables.js'
import { brokenInvariants, directRouting, everyService, operatorConnect, using } from '../../fixtures/accounts.js'
import { aSearch, buy, buyOne, PURCHASE, search, US } from '../../fixtures/buying.js'
import { anEmulator, type Emulator } from '../../fixtures/emulator.js'
import { anOperator, reconcileAll } from '../../fixtures/operator.js'
import { createClient, createTestService, HOST, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it, type With } from '../../fixtures/test.js'

it.beforeEach(async ({ db }) => {
  await enterStock(db, { count: 20 })
})

describe('a snapshot', () => {
  it('brings back every row of every table, whatever happened since', async ({
    db,
    service,
    operator,
    buyer,
    emulator,
  }) => {
    await liveAWhile({ service, operator, buyer, emulator })
    const before = await everything(db)
    expect((await take(emulator)).status).toBe(200)

    const [bought] = await buy(buyer, 2)
    await buyer.send('DELETE', `/phoneNumbers/${bought}`)
    await enterStock(db, { from: '+12065550150', count: 5 })
    const renamed = (account: string, subdomain: string) =>
      operator.put(`/accounts/${account}`, {
        serviceDetails: everyService({
          teamsTenantId: `${account}TenantId`,
          teamsDirectRouting: directRouting(subdomain),
          azureOperatorCallProtection: { enabled: false },
        }),
      })
    // What is unique is changed round, over a third.
    for (const [account, subdomain] of [
      ['contoso', 'three'],
      ['fabrikam', 'one'],
      ['contoso', 'two'],
    ] as const) {
      expect((await renamed(account, subdomain)).statusCode).toBeLessThan(300)
    }
    await operator.delete('/accounts/fabrikam/numbers/+12065550119')
    await operator.put('/accounts/newcomer', { serviceDetails: everyService({ teamsTenantId: 'n' }) })
    await operator.put('/accounts/newcomer/numbers/+442079460001', using('azureOperatorCallProtection'))
    await reconcileAll(service)
    await emulator.send('DELETE', '/resources/apart')
    await service.client('another')
    await emulator.send('POST', '/clock', { advance: 'P1D' })

    expect((await restore(emulator)).status).toBe(200)
    expect(await everything(db)).toEqual(before)
    expect(await brokenInvariants(db)).toEqual([])
  })

  it('can be gone back to as often as wanted', async ({ service, buyer, emulator }) => {
    await take(emulator)
    for (let round = 0; round < 3; round++) {
      later(service)
      expect(await buy(buyer, 5)).toHaveLength(5)
      expect(await owned(buyer)).toBe(5)
      await restore(emulator)
      expect(await owned(buyer)).toBe(0)
    }
  })

  it('has the clock, scripts and faults in it', async ({ emulator }) => {
    await emulator.send('POST', '/clock', { advance: 'PT1H' })
    await emulator.send('POST', '/scripts', { operation: 'purchase', byHand: true })
    await emulator.send('POST', '/faults', { route: 'GET /healthz', effect: 'cut' })
    await take(emulator)
    await emulator.send('PUT', '/clock', { now: 'real' })
    await emulator.send('DELETE', '/scripts')
    await emulator.send('DELETE', '/faults')
    await restore(emulator)
    expect((await emulator.send('GET', '/clock')).body).toMatchObject({ offsetMs: 3_600_000 })
    expect((await emulator.send('GET', '/scripts')).body).toMatchObject({ scripts: [{ operation: 'purchase' }] })
    expect((await emulator.send('GET', '/faults')).body).toMatchObject({ faults: [{ effect: 'cut' }] })
  })

  it('knows what of a script was used up when it was taken', async ({ service, buyer, emulator }) => {
    await emulator.send('POST', '/scripts', { operation: 'search', times: 2, failure: { code: 'OutOfStock' } })
    expect((await search(buyer)).phoneNumbers).toEqual([])
    await take(emulator)
    later(service)
    await buyer.send('POST', `${US}/:search`, { body: aSearch() })
    await restore(emulator)
    expect((await emulator.send('GET', '/scripts')).body).toMatchObject({ scripts: [{ times: 2, left: 1 }] })
  })

  it('brings back the resources that there were: new ones get no entry, old ones do again', async ({ emulator }) => {
    const { client: mine, name } = await emulator.resource()
    await take(emulator)
    await emulator.send('DELETE', `/resources/${name}`)
    const { client: late } = await emulator.resource()
    await restore(emulator)
    expect((await late.send('GET', '/phoneNumbers')).statusCode).toBe(401)
    expect((await mine.send('GET', '/phoneNumbers')).statusCode).toBe(200)
  })

  it('leaves tokens good that were given out since', async ({ service, emulator }) => {
    await take(emulator)
    const late = await anOperator(service)
    await restore(emulator)
    expect((await late.get('/accounts')).statusCode).toBe(200)
  })

  it('never gives out again what was given out since: purchases keep their order', async ({
    db,
    service,
    buyer,
    emulator,
  }) => {
    await take(emulator)
    await buyOne(buyer)
    const [{ last }] = (await db.query(sql`select last_value as last from purchase_order`)) as [{ last: number }]
    await restore(emulator)
    later(service)
    await buyOne(buyer)
    const [{ order }] = (await db.query(sql`select max(purchase_order) as "order" from number`)) as [{ order: number }]
    expect(order).toBeGreaterThan(last)
  })

  it('is replaced by one of the same name', async ({ buyer, emulator }) => {
    await take(emulator)
    await buyOne(buyer)
    expect((await take(emulator)).status).toBe(200)
    await restore(emulator)
    expect(await owned(buyer)).toBe(1)
    expect((await emulator.send<Listed>('GET', '/snapshots')).body.snapshots).toHaveLength(1)
  })
})

describe('snapshots', () => {
  it('are listed with when they were taken, and deleted', async ({ emulator }) => {
    await take(emulator, 'b')
    await take(emulator, 'a-1_x')
    expect((await emulator.send('GET', '/snapshots')).body).toEqual({
      snapshots: [
        {
          name: 'a-1_x',
          takenAt: '2026-03-01T12:00:00.000Z',
          schemaVersion: expect.any(Number) as number,
          restorable: true,
        },
        expect.objectContaining({ name: 'b' }),
      ],
    })
    expect((await emulator.send('DELETE', '/snapshots/b')).status).toBe(204)
    expect((await emulator.send<Listed>('GET', '/snapshots')).body.snapshots.map(({ name }) => name)).toEqual(['a-1_x'])
  })

  it('that nobody took can be neither restored nor deleted', async ({ emulator }) => {
    await take(emulator, 'known')
    for (const [method, path] of [
      ['POST', '/snapshots/unknown/restore'],
      ['DELETE', '/snapshots/unknown'],
      ['POST', '/snapshots/%22%3B%20drop/restore'],
      ['DELETE', '/snapshots/%00'],
    ] as const) {
      const { status, body } = await emulator.send(method, path)
      expect(status).toBe(404)
      expect(JSON.stringify(body)).toMatch(/There are: known.*PUT/)
    }
  })

  it.for(['A', 'a b', '-a', 'a.b', 'x'.repeat(41), '%00', '"', "'; drop schema public cascade; --"] as const)(
    'have names of few characters: not %s',
    async (name, { emulator }) => {
      const { status, body } = await emulator.send(
        'PUT',
        `/snapshots/${name.includes('%') ? name : encodeURIComponent(name)}`,
      )
      expect(status).toBe(400)
      expect(JSON.stringify(body)).toMatch(/1 to 40 lower-case letters/)
    },
  )

  it('take no body', async ({ emulator }) => {
    expect((await emulator.send('PUT', '/snapshots/a', { more: 1 })).status).toBe(400)
    expect((await emulator.send('POST', '/reset', 'x')).status).toBe(400)
  })

  it('are twenty at most; one that is there may be replaced all the same', async ({ emulator }) => {
    for (let index = 0; index < 20; index++) expect((await take(emulator, `s${index}`)).status).toBe(200)
    const { status, body } = await take(emulator, 'one-more')
    expect(status).toBe(409)
    expect(JSON.stringify(body)).toMatch(/20 snapshots, which is the most: s0,.*Delete one/)
    expect((await take(emulator, 's7')).status).toBe(200)
  })

  it('of an older schema are told so, and refused', async ({ db, emulator }) => {
    await take(emulator, 'old')
    await db.query(sql`
      insert into schema_version (version, name) select max(version) + 1, 'test' from schema_version`)
    try {
      const { status, body } = await restore(emulator, 'old')
      expect(status).toBe(409)
      expect(JSON.stringify(body)).toMatch(/schema version \d+, and the database has come to \d+\. Delete it/)
      expect((await emulator.send('GET', '/snapshots')).body).toMatchObject({ snapshots: [{ restorable: false }] })
    } finally {
      await db.query(sql`delete from schema_version where name = 'test'`)
    }
  })

  it('know every table, and how to tell its rows apart', async ({ db }) => {
    const tables = await readTables(db)
    expect(tables.filter(({ primaryKey }) => primaryKey.length === 0)).toEqual([])
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['number', 'operation', 'emulator_setting']))
    expect(tables.map(({ name }) => name)).not.toContain('schema_version')
  })

  it('leave schemas of others alone that look like theirs', async ({ db, emulator }) => {
    await db.query(sql`create schema snapshot_theirs`)
    try {
      expect((await emulator.send<Listed>('GET', '/snapshots')).body.snapshots).toEqual([])
      expect((await emulator.send('DELETE', '/snapshots/theirs')).status).toBe(404)
      expect((await take(emulator, 'theirs')).status).toBe(409)
    } finally {
      await db.query(sql`drop schema snapshot_theirs`)
    }
  })
})

describe('a reset', () => {
  it('leaves what a fresh emulator has: its resource with the well-known key, and nothing that happened', async ({
    db,
    service,
    operator,
    buyer,
    emulator,
  }) => {
    await liveAWhile({ service, operator, buyer, emulator })
    await emulator.send('POST', '/clock', { advance: 'P3D' })
    await emulator.send('POST', '/scripts', { byHand: true })
    await emulator.send('POST', '/faults', { route: 'GET /healthz', effect: 'cut' })
    await emulator.send('PATCH', '/backends/oc/settings', { strict: true })
    const { status, body } = await emulator.send('POST', '/reset')
    expect([status, body]).toEqual([204, undefined])

    const { emulator_setting: settings, resource, number, account, simulated_document: world } = await everything(db)
    expect({ settings, number, account, world }).toEqual({ settings: [], number: [], account: [], world: [] })
    expect(resource).toHaveLength(1)
    expect((await emulator.send('GET', '/clock')).body).toMatchObject({ offsetMs: 0 })
    expect((await emulator.send('GET', '/scripts')).body).toEqual({ scripts: [] })
    expect((await emulator.send('GET', '/faults')).body).toEqual({ faults: [] })
    expect((await emulator.send('GET', '/backends/oc/settings')).body).toMatchObject({ strict: false })
    expect((await revealResource(service.store, 'local')).keys.primary).toBe(EMULATOR_ACCESS_KEY)
    const local = createClient(service.server, service.clock, { name: 'local', key: EMULATOR_ACCESS_KEY, host: HOST })
    expect((await local.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    expect((await buyer.send('GET', '/phoneNumbers')).statusCode).toBe(401)
  })

  it('fills the stock where an emulator has one', async ({ db }) => {
    const stocked = await createTestService(db, { LINEBOOK_SEED_STOCK: 'on' })
    const its = await anEmulator(stocked)
    expect((await its.send('POST', '/reset')).status).toBe(204)
    const [{ count }] = (await db.query(sql`select count(*) as count from number`)) as [{ count: number }]
    expect(count).toBe(8_902)
    await stocked.close()
  })

  it('keeps snapshots, to be gone back to', async ({ buyer, emulator }) => {
    await buyOne(buyer)
    await take(emulator)
    await emulator.send('POST', '/reset')
    await restore(emulator)
    expect(await owned(buyer)).toBe(1)
  })

  it('puts a stock in their place that is no hindrance to going back', async ({ db }) => {
    const stocked = await createTestService(db, { LINEBOOK_SEED_STOCK: 'on' })
    const its = await anEmulator(stocked)
    await its.send('POST', '/reset')
    await its.send('PUT', '/snapshots/full')
    const client = await stocked.client()
    await buyOne(client)
    await its.send('POST', '/reset')
    expect((await its.send('POST', '/snapshots/full/restore')).status).toBe(200)
    const places = await db.query(sql`
      select from number n join place p on p.id = n.place_id where n.state = 'available'`)
    expect(places).toHaveLength(8_902)
    await stocked.close()
  })
})

it('a purchase of before a restore is not to be finished after it: its search is gone', async ({ buyer, emulator }) => {
  await take(emulator)
  const { searchId } = await search(buyer)
  await restore(emulator)
  expect((await buyer.send('POST', PURCHASE, { body: { searchId } })).statusCode).toBeGreaterThanOrEqual(400)
})

interface Listed {
  snapshots: { name: string; takenAt: string; restorable: boolean }[]
}
const take = (emulator: Emulator, name = 'before') => emulator.send('PUT', `/snapshots/${name}`)
const restore = (emulator: Emulator, name = 'before') => emulator.send('POST', `/snapshots/${name}/restore`)
const owned = async (buyer: TestClient, client = buyer) =>
  (await client.send('GET', '/phoneNumbers')).json<{ phoneNumbers: { phoneNumber: string }[] }>().phoneNumbers.length
/** Requests of the same second that are alike are one request. */
const later = (service: TestService) => service.clock.advance(1_000)

/** All that is stored, table by table. */
async function everything(db: Db): Promise<Record<string, string[]>> {
  const tables = await readTables(db)
  const rows = tables.map(async ({ name }) => {
    const texts = await db.query<{ row: string }>(sql`select to_jsonb(t)::text as row from ${raw(name)} t order by 1`)
    return [name, texts.map(({ row }) => row)] as const
  })
  return Object.fromEntries(await Promise.all(rows))
}

/** Something in as many tables as possible. */
async function liveAWhile({
  service,
  operator,
  buyer,
  emulator,
}: With<'service' | 'operator' | 'buyer' | 'emulator'>): Promise<void> {
  await buy(buyer, 3)
  const [released] = await buy(buyer, 1)
  await buyer.send('DELETE', `/phoneNumbers/${released}`)
  await search(buyer, { quantity: 2 })
  for (const [account, subdomain] of [
    ['contoso', 'one'],
    ['fabrikam', 'two'],
  ]) {
    const services = everyService({
      ...operatorConnect({ teamsTenantId: `${account}TenantId` }),
      teamsDirectRouting: directRouting(subdomain),
    })
    await operator.put(`/accounts/${account}`, { serviceDetails: services })
  }
  await operator.put('/accounts/contoso/numbers/+442079460000', using('teamsOperatorConnect', 'teamsDirectRouting'))
  await operator.put('/accounts/fabrikam/numbers/+12065550119', using('teamsDirectRouting'))
  await reconcileAll(service)
  await emulator.resource({ name: 'apart', wallets: [{ currency: 'USD', amount: '10' }], stock: [] })
}
