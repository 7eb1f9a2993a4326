/** Changes of one SIP configuration that arrive together: none is lost, and none is made to what is no longer there. */
import { describe, expect, it } from 'vitest'
import { openPostgres } from '../../src/db/postgres.js'
import { createLogger } from '../../src/log.js'
import { openTestPostgres } from '../fixtures/database.js'
import { opened } from '../fixtures/opened.js'
import { createTestService, type TestClient } from '../fixtures/service.js'

const version = '2023-03-01'
const patch = async (client: TestClient, body: object): Promise<number> =>
  (await client.send('PATCH', '/sip', { version, body })).statusCode

interface Configuration {
  trunks: Record<string, { sipSignalingPort: number }>
  routes: { name: string; trunks: string[] }[]
}
const read = async (client: TestClient): Promise<Configuration> =>
  (await client.send('GET', '/sip', { version })).json<Configuration>()

/** One resource, and its client at two servers on one database. */
async function twoServers(): Promise<[TestClient, TestClient]> {
  const db = opened(await openTestPostgres(16))
  const first = opened(await createTestService(db))
  const logger = createLogger('warn')
  const second = opened(first.replicaOn(opened(await openPostgres({ connectionString: db.url, poolSize: 16, logger }))))
  const client = await first.client()
  return [client, second.sameClient(client)]
}

describe('PATCHes of one configuration at two servers at once', () => {
  it('of different trunks all have their effect, on a resource that has configured nothing yet', async () => {
    const servers = await twoServers()
    const fqdns = Array.from({ length: 40 }, (_, i) => `sbc${i}.contoso.com`)
    const statuses = await Promise.all(
      fqdns.map((fqdn, i) => patch(servers[i % 2] as TestClient, { trunks: { [fqdn]: { sipSignalingPort: i + 1 } } })),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    const { trunks } = await read(servers[0])
    expect(trunks).toEqual(Object.fromEntries(fqdns.map((fqdn, i) => [fqdn, { sipSignalingPort: i + 1 }])))
    const removed = await Promise.all(
      fqdns.map((fqdn, i) => patch(servers[i % 2] as TestClient, { trunks: { [fqdn]: null } })),
    )
    expect(new Set(removed)).toEqual(new Set([200]))
    expect((await read(servers[1])).trunks).toEqual({})
  })

  it('of a route to a trunk and of the removal of that trunk: one of the two is refused', async () => {
    const servers = await twoServers()
    const outcomes = new Set<string>()
    for (let round = 0; round < 20; round++) {
      await patch(servers[0], { trunks: { 'sbc.contoso.com': { sipSignalingPort: 5061 } }, routes: [] })
      const route = { name: 'r', numberPattern: '.*', trunks: ['sbc.contoso.com'] }
      const [routed, removed] = await Promise.all([
        patch(servers[0], { routes: [route] }),
        patch(servers[1], { trunks: { 'sbc.contoso.com': null } }),
      ])
      outcomes.add(`${routed} ${removed}`)
      const { trunks, routes } = await read(servers[0])
      expect(routes.flatMap((one) => one.trunks).filter((fqdn) => !(fqdn in trunks))).toEqual([])
    }
    expect([...outcomes].filter((outcome) => outcome !== '200 422' && outcome !== '422 200')).toEqual([])
  })
})
