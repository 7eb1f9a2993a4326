/** Resources that tests have to themselves. */
import { describe, expect } from 'vitest'
import { raw, sql } from '../../../src/db/db.js'
import { readTables } from '../../../src/emulator/state/tables.js'
import { everyService, using } from '../../fixtures/accounts.js'
import { buy, buyOne, search } from '../../fixtures/buying.js'
import type { MadeResource, Emulator } from '../../fixtures/emulator.js'
import { anOperator } from '../../fixtures/operator.js'
import { createClient, HOST } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

describe('a resource of its own', () => {
  it('is made in one call: name, keys, connection string and numbers', async ({ emulator }) => {
    const { status, body } = await make(emulator)
    expect(status).toBe(201)
    expect(body).toEqual({
      name: expect.stringMatching(/^test-[0-9a-f]{10}$/) as string,
      hosts: [],
      endpoint: `http://${HOST}/`,
      connectionString: `endpoint=http://${HOST}/;accesskey=${body.accessKeys.primary}`,
      accessKeys: { primary: expect.any(String) as string, secondary: expect.any(String) as string },
      phoneNumbers: expect.any(Array) as string[],
    })
    expect(body.phoneNumbers).toHaveLength(100)
    expect(new Set(body.phoneNumbers.map((number) => number.slice(0, 5)))).toEqual(new Set(['+9991', '+9994', '+9993']))
  })

  it('buys at once what it was given, and nothing else', async ({ db, service, emulator }) => {
    await enterStock(db, { count: 5 })
    const { client, phoneNumbers } = await emulator.resource({ stock: [seattle(3)] })
    expect((await buy(client, 3)).sort()).toEqual([...phoneNumbers].sort())
    service.clock.advance(1_000)
    expect((await search(client)).phoneNumbers).toEqual([])
  })

  it('touches nobody: neither the shared stock nor that of another', async ({ db, service, emulator }) => {
    const shared = await enterStock(db, { count: 1 })
    const [one, two, local] = [
      await emulator.resource({ stock: [seattle(1)] }),
      await emulator.resource({ stock: [seattle(1)] }),
      await service.client('buyer'),
    ]
    expect(await buyOne(one.client)).toBe(one.phoneNumbers[0])
    expect(await buyOne(two.client)).toBe(two.phoneNumbers[0])
    expect(await buyOne(local)).toBe(shared[0])
  })

  it('may have no stock at all', async ({ emulator }) => {
    const { client, phoneNumbers } = await emulator.resource({ stock: [] })
    expect(phoneNumbers).toEqual([])
    expect((await search(client)).phoneNumbers).toEqual([])
  })

  it('may have numbers that are named; what they tell is derived', async ({ emulator }) => {
    const { client } = await emulator.resource({
      stock: [
        { phoneNumbers: ['+12065550150', '+12065550151'], locality: 'Seattle', administrativeDivision: 'WA' },
        { phoneNumbers: ['+99933123'], countryCode: 'FR', phoneNumberType: 'geographic', areaCode: '33' },
      ],
    })
    expect((await buy(client, 2)).sort()).toEqual(['+12065550150', '+12065550151'])
  })

  it('may have money, a limit, entitlements and addresses', async ({ db, emulator }) => {
    const { name } = await emulator.resource({
      name: 'rich',
      wallets: [{ currency: 'USD', amount: '12.50' }],
      numberLimit: 5,
      entitledTo: ['US', 'GB:geographic'],
      addresses: { US: { line: '1 Main St', city: 'Seattle', postalCode: '98101', state: 'WA' } },
    })
    const [row] = await db.query(sql`
      select number_limit, entitled_to, addresses, pool, (select balance from wallet where resource_id = resource.id)
      from resource where name = ${name}`)
    expect(row).toMatchObject({
      number_limit: 5,
      entitled_to: ['US', 'GB:geographic'],
      addresses: { US: { city: 'Seattle' } },
      pool: 'rich',
      balance: '12.5000',
    })
  })

  it('with a host name is reached there, at the port that was asked', async ({ service, emulator: _ }) => {
    const answer = await service.server.inject({
      method: 'POST',
      url: '/_emulator/resources',
      headers: { host: 'localhost:8080', authorization: `Basic ${btoa('linebook-admin:linebook-standin')}` },
      payload: { hosts: ['One.localhost'], stock: [seattle(1)] },
    })
    const body = answer.json<MadeResource>()
    expect(body).toMatchObject({
      hosts: ['one.localhost'],
      connectionString: expect.stringMatching(/^endpoint=http:\/\/one\.localhost:8080\/;/) as string,
    })
    const client = createClient(service.server, service.clock, {
      name: body.name,
      key: body.accessKeys.primary,
      host: 'one.localhost:8080',
    })
    expect((await client.send('GET', '/phoneNumbers')).statusCode).toBe(200)
  })

  it('may be one of very many: each is known by its keys', async ({ service, emulator }) => {
    const made = []
    for (let index = 0; index < 60; index++) made.push(await emulator.resource({ stock: [] }))
    for (const { client } of [...made, ...made.reverse()]) {
      expect((await client.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    }
    // They don't count among those of the operator that have no host name either.
    await service.client('shop')
  })

  it('is one of a thousand at most', async ({ db, emulator }) => {
    await db.query(sql`
      insert into resource (id, name, primary_key_sealed, secondary_key_sealed, created_at, pool)
      select gen_random_uuid(), 'n' || n, '', '', now(), 'n' || n from generate_series(1, 1000) as n`)
    const { status, body } = await make(emulator)
    expect([status, JSON.stringify(body)]).toEqual([409, expect.stringMatching(/1000 such resources/)])
    expect((await emulator.send('DELETE', '/resources/n7')).status).toBe(204)
    expect((await make(emulator)).status).toBe(201)
  })

  it('has numbers that nobody else has, however many are made side by side', async ({ emulator }) => {
    const made = await Promise.all(Array.from({ length: 8 }, () => emulator.resource({ stock: [seattle(50)] })))
    expect(new Set(made.flatMap(({ phoneNumbers }) => phoneNumbers)).size).toBe(400)
  })
})

describe('removing a resource', () => {
  it('removes all that is its own, and nothing else', async ({ db, emulator }) => {
    await enterStock(db, { count: 2 })
    const everything = async () => {
      const tables = (await readTables(db)).filter(({ name }) => name !== 'emulator_setting')
      const rows = tables.map(async ({ name }) => [
        name,
        await db.query(sql`select t::text from ${raw(name)} t order by 1`),
      ])
      return Object.fromEntries(await Promise.all(rows)) as Record<string, object[]>
    }
    const before = await everything()
    const { client, name } = await emulator.resource({
      wallets: [{ currency: 'USD', amount: '100' }],
      stock: [seattle(9)],
    })
    const [bought] = await buy(client, 2)
    await client.send('DELETE', `/phoneNumbers/${bought}`)
    await search(client, { quantity: 3 })
    await client.send('PATCH', '/sip', {
      body: { trunks: { 'sbc.example.com': { sipSignalingPort: 5061 } } },
      headers: { 'content-type': 'application/merge-patch+json' },
      version: '2023-03-01',
    })
    await client.send('PATCH', '/availablePhoneNumbers/reservations/6b0b5a0e-6c0f-4d3f-9a8a-3f5b9a4d2c11', {
      body: { phoneNumbers: {} },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect((await emulator.send('DELETE', `/resources/${name}`)).status).toBe(204)
    expect(await everything()).toEqual(before)
    expect((await client.send('GET', '/phoneNumbers')).statusCode).toBe(401)
  })

  it('is refused for what was not made here, and for what is not there', async ({ service, emulator }) => {
    await service.client('shop')
    const shop = await emulator.send('DELETE', '/resources/shop')
    expect([shop.status, JSON.stringify(shop.body)]).toEqual([409, expect.stringMatching(/no stock of its own/)])
    expect((await emulator.send('DELETE', '/resources/unknown')).status).toBe(404)
    expect((await emulator.send('DELETE', '/resources/%00')).status).toBe(400)
  })

  it('is refused while an account has one of its numbers', async ({ service, emulator }) => {
    const { name } = await emulator.resource({ stock: [{ phoneNumbers: ['+12065550150'] }] })
    const operator = await anOperator(service)
    await operator.put('/accounts/contoso', { serviceDetails: everyService() })
    await operator.put('/accounts/contoso/numbers/+12065550150', using('teamsDirectRouting'))
    const { status, body } = await emulator.send('DELETE', `/resources/${name}`)
    expect([status, JSON.stringify(body)]).toEqual([409, expect.stringMatching(/\+12065550150.*accounts/)])
  })

  it('makes its name free again', async ({ emulator }) => {
    await emulator.resource({ name: 'again' })
    await emulator.send('DELETE', '/resources/again')
    expect((await make(emulator, { name: 'again' })).status).toBe(201)
    expect((await emulator.send('GET', '/resources')).body).toMatchObject({
      resources: [{ name: 'again', numbers: 100 }],
    })
  })
})

describe('a resource is not made', () => {
  it.for([
    [{ name: 'Big Name' }, 400, /lower-case letters/],
    [{ name: 'taken' }, 409, /already a resource named/],
    [{ hosts: ['a b'] }, 400, /not a host name/],
    [{ hosts: ['taken.example'] }, 409, /Another resource has one of the hosts/],
    [{ stock: [{ countryCode: 'US' }] }, 400, /stock\.0 must say countryCode, phoneNumberType and areaCode/],
    [{ stock: [{ ...seattle(), countryCode: 'usa' }] }, 400, /countryCode/],
    [{ stock: [{ ...seattle(), countryCode: 'XX' }] }, 400, /no country with phone numbers/],
    [{ stock: [{ ...seattle(), areaCode: '206-1' }] }, 400, /areaCode/],
    [{ stock: [{ ...seattle(), phoneNumberType: 'satellite' }] }, 400, /geographic, tollFree, mobile/],
    [{ stock: [seattle(0)] }, 400, /quantity/],
    [{ stock: [seattle(6_000), seattle(6_000)] }, 400, /12000 numbers together/],
    [
      { stock: [{ countryCode: 'AG', phoneNumberType: 'geographic', areaCode: '12345678', quantity: 1_001 }] },
      400,
      /no room for 1001 numbers/,
    ],
    [{ stock: [{ phoneNumbers: ['+12065550100'] }] }, 409, /\+12065550100 is in the ledger already/],
    [{ stock: [{ phoneNumbers: ['12065550100'] }] }, 400, /not an E\.164 number/],
    [{ stock: [{ phoneNumbers: ['+442079460000', '+442079460000'], areaCode: '20' }] }, 400, /twice/],
    [{ stock: [{ phoneNumbers: ['+12065550155'], quantity: 5 }] }, 400, /takes no quantity/],
    [{ stock: 'all' }, 400, /stock/],
    [{ wallets: [{ currency: 'Dollar', amount: '1' }] }, 400, /currency/],
    [{ wallets: [{ currency: 'USD', amount: '-1' }] }, 400, /amount/],
    [{ wallets: [{ currency: 'USD', amount: 1 }] }, 400, /amount/],
    [{ entitledTo: ['USA'] }, 400, /entitledTo/],
    [{ numberLimit: -1 }, 400, /numberLimit/],
    [{ addresses: { us: { line: 'a', city: 'b', postalCode: 'c' } } }, 400, /addresses/],
    [{ colour: 'red' }, 400, /colour/],
    ['[', 400, /not JSON/],
  ] as const)('from %j', async ([wanted, status, message], { db, service, emulator }) => {
    await service.client('taken', ['taken.example'])
    await enterStock(db, { count: 1 })
    const answer = await emulator.send('POST', '/resources', wanted)
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringMatching(message)])
    expect((await emulator.send('GET', '/resources')).body).toEqual({ resources: [] })
    expect(await db.query(sql`select e164 from number`)).toHaveLength(1)
    expect(await db.query(sql`select id from place where pool <> ''`)).toEqual([])
  })

  it('for an address that names no host', async ({ service, emulator: _ }) => {
    const answer = await service.server.inject({
      method: 'POST',
      url: '/_emulator/resources',
      headers: { host: 'a;b', authorization: `Basic ${btoa('linebook-admin:linebook-standin')}` },
    })
    expect(answer.statusCode).toBe(400)
  })
})

const make = (emulator: Emulator, wanted?: object) =>
  emulator.send<MadeResource & { endpoint: string }>('POST', '/resources', wanted)
const seattle = (quantity?: number) => ({
  countryCode: 'US',
  phoneNumberType: 'geographic',
  areaCode: '206',
  ...(quantity !== undefined && { quantity }),
})
