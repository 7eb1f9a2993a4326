import type { SipRoutingClient, SipTrunk, SipTrunkRoute } from '@azure/communication-phone-numbers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { all, connectSipRouting, schemes } from './clients.js'

const first: SipTrunk = { fqdn: 'sbc1.contoso.com', sipSignalingPort: 5061 }
const second: SipTrunk = { fqdn: 'SBC2.contoso.com', sipSignalingPort: 5062 }
const toFirst: SipTrunkRoute = {
  name: 'First',
  description: 'Calls to New York',
  numberPattern: '^\\+1212[0-9]{7}$',
  trunks: [first.fqdn],
}
const everything: SipTrunkRoute = { name: 'Everything', numberPattern: '^+[1-9][0-9]{3,23}$', trunks: [] }

describe.each(schemes)('SIP routing over %s', (scheme) => {
  let linebook: Linebook
  let client: SipRoutingClient
  beforeAll(async () => {
    linebook = await startLinebook()
    client = connectSipRouting(linebook, scheme)
  })
  afterAll(() => linebook?.stop())
  beforeEach(async () => {
    await client.setRoutes([])
    await client.setTrunks([])
  })

  const refused = (statusCode: number, innerCode: string) => ({
    name: 'RestError',
    statusCode,
    code: 'UnprocessableConfiguration',
    message: 'One or more request inputs are not valid.',
    details: { error: { innerError: { code: innerCode } } },
  })

  it('starts empty', async () => {
    expect(await all(client.listTrunks())).toEqual([])
    expect(await all(client.listRoutes())).toEqual([])
  })

  it('sets trunks, all at once, and lists them', async () => {
    expect(await client.setTrunks([first, second])).toEqual([first, second])
    expect(await all(client.listTrunks())).toEqual([first, second])
    expect(await client.setTrunks([second])).toEqual([second])
    expect(await all(client.listTrunks().byPage())).toEqual([[second]])
  })

  it('sets one trunk, in any spelling of its name, gets it and deletes it', async () => {
    expect(await client.setTrunk(first)).toEqual(first)
    expect(await client.setTrunk({ ...first, sipSignalingPort: 5080 })).toEqual({ ...first, sipSignalingPort: 5080 })
    expect(await client.getTrunk(first.fqdn)).toEqual({ ...first, sipSignalingPort: 5080 })
    const respelled = { ...first, fqdn: first.fqdn.toUpperCase() }
    expect(await client.setTrunk(respelled)).toEqual(respelled)
    expect(await client.setTrunks([first])).toEqual([first])
    await client.deleteTrunk(first.fqdn)
    await client.deleteTrunk(first.fqdn)
    await expect(client.getTrunk(first.fqdn)).rejects.toMatchObject({ code: 'NotFound' })
    expect(await all(client.listTrunks())).toEqual([])
  })

  it('sets routes, in their order, and lists them', async () => {
    await client.setTrunks([first, second])
    expect(await client.setRoutes([toFirst, everything])).toEqual([toFirst, everything])
    expect(await client.setRoutes([everything, toFirst])).toEqual([everything, toFirst])
    expect(await all(client.listRoutes())).toEqual([everything, toFirst])
    expect(await all(client.listRoutes().byPage())).toEqual([[everything, toFirst]])
    expect(await client.setRoutes([])).toEqual([])
  })

  it('refuses what the service refuses, with its codes, and keeps what there was', async () => {
    await client.setTrunk(first)
    await client.setRoutes([toFirst])
    await expect(client.deleteTrunk(first.fqdn)).rejects.toMatchObject(refused(422, 'MissingTrunk'))
    await expect(client.setTrunks([])).rejects.toMatchObject(refused(422, 'MissingTrunk'))
    await expect(client.setTrunk({ fqdn: '-1', sipSignalingPort: 5061 })).rejects.toMatchObject(
      refused(422, 'InvalidTrunkFqdn'),
    )
    await expect(client.setTrunk({ ...first, sipSignalingPort: 0 })).rejects.toMatchObject(
      refused(422, 'InvalidTrunkSipSignalingPort'),
    )
    const withRoute = (over: Partial<SipTrunkRoute>) => client.setRoutes([toFirst, { ...everything, ...over }])
    await expect(withRoute({ name: '' })).rejects.toMatchObject(refused(422, 'InvalidRouteName'))
    await expect(withRoute({ numberPattern: '' })).rejects.toMatchObject(refused(422, 'InvalidRouteNumberPattern'))
    await expect(withRoute({ numberPattern: '^(\\+1' })).rejects.toMatchObject(
      refused(422, 'InvalidRouteNumberPattern'),
    )
    await expect(withRoute({ trunks: ['gone.contoso.com'] })).rejects.toMatchObject(refused(422, 'MissingTrunk'))
    await expect(withRoute({ name: toFirst.name })).rejects.toMatchObject(refused(400, 'DuplicatedRoute'))
    await expect(withRoute({ trunks: [first.fqdn, first.fqdn] })).rejects.toMatchObject(
      refused(400, 'RouteWithDuplicatedTrunk'),
    )
    expect(await all(client.listTrunks())).toEqual([first])
    expect(await all(client.listRoutes())).toEqual([toFirst])
  })
})
