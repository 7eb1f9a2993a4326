/** Looking at what a backend really has: nothing that is found overtakes what is written meanwhile. */
import { beforeEach, describe, expect } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { it } from '../../fixtures/test.js'
import { aWatchedOperator, expectAtRest, HOUR, type WatchedOperator } from './watched-operator.js'

const e164 = '+12065550100'
let operator: WatchedOperator
it.beforeEach(async ({ db }) => {
  operator = aWatchedOperator(db)
  await operator.putAccount('contoso')
  await operator.runAll()
})

describe('a number that is looked at', () => {
  beforeEach(async () => {
    await operator.put('contoso', e164)
    await operator.runAll()
    operator.clock.advance(HOUR)
  })

  it.for(['before', 'after'] as const)(
    'and written to meanwhile is told once the look is over (%s the answer)',
    async (where, { db }) => {
      await control().drift('vanish')
      const stop = operator.watched.stop('getNumbers', where)
      const look = operator.run()
      await stop.reached
      await operator.put('contoso', e164, 'CallingUserAssignment')
      expect(await operator.run()).toMatchObject({ claimed: 0 })
      stop.go()
      await look
      await operator.runAll()
      expect(operator.watched.about(e164)).toEqual(['uploadNumbers', 'getNumbers', 'updateNumbers'])
      await expectAtRest(db, operator, present('CallingUserAssignment'))
    },
  )

  it('and taken off meanwhile is released', async ({ db }) => {
    const stop = operator.watched.stop('getNumbers', 'after')
    const look = operator.run()
    await stop.reached
    await operator.deleteNumbers('contoso', [e164])
    stop.go()
    await look
    await operator.runAll()
    await expectAtRest(db, operator, new Map())
  })

  it('and taken out of our hands meanwhile is not told, whatever was seen', async () => {
    await control().drift('vanish')
    const stop = operator.watched.stop('getNumbers', 'after')
    const look = operator.run()
    await stop.reached
    await operator.switchSync('contoso', false)
    stop.go()
    await look
    await operator.settle()
    expect(await operator.there()).toEqual({})
    expect(await status()).toBe('synced')
  })

  it('is believed when it has an address that its tenant may choose, or its lists in another order', async () => {
    const [found] = await operator.backends.oc.getNumbers('contosoTenantId', [e164])
    const told = { ...found?.configuration, civicAddressId: 'chosenByTheTenant', additionalUsages: [] }
    const oc = { ...operator.backends.oc }
    const answer = (configuration: object) => {
      oc.getNumbers = () => Promise.resolve([{ e164, tenantId: 'contosoTenantId', configuration }])
    }
    operator.deps.backends = { ...operator.deps.backends, oc }
    answer(told)
    expect(await operator.run()).toMatchObject({ claimed: 1, unfinished: 0 })
    answer({ ...told, usage: 'ConferenceAssignment' })
    operator.clock.advance(HOUR)
    expect(await operator.run()).toMatchObject({ claimed: 1, unfinished: 1 })
  })
})

it('what was told of a customer is told again when a command before it was lost and may have come late', async ({
  db,
}) => {
  await control().misbehave('wrong-order', { methods: ['upsertTenants'], times: 1 })
  await operator.switchSync('contoso', false)
  await operator.run()
  await operator.switchSync('contoso', true)
  await operator.runAll()
  const tenants = async () => (await control().tenants({ limit: 9 })).tenants
  // The late one has won.
  expect(await tenants()).toMatchObject([{ syncEnabled: false }])
  await operator.settle()
  expect(await tenants()).toMatchObject([{ syncEnabled: true }])
  expect(await db.query(sql`select key from sync where unsure or pending_since is not null`)).toEqual([])
})

const control = () => operator.backends.oc.control
const status = async () => (await operator.status('contoso', e164))?.status
const present = (usage: string) => new Map([[e164, { account: 'contoso', usage }]])
