/** A number that leaves one account for another: what a backend reported about it stays with the tenant it had there. */
import { describe, expect } from 'vitest'
import { findAccount } from '../../../src/accounts/account-store.js'
import { readNumbers } from '../../../src/accounts/number-store.js'
import type { Db } from '../../../src/db/db.js'
import { verify } from '../../../src/reconcile/verify.js'
import { it } from '../../fixtures/test.js'
import { aWatchedOperator, type WatchedOperator } from './watched-operator.js'

const e164 = '+12065550100'
let operator: WatchedOperator
it.beforeEach(async ({ db }) => {
  operator = aWatchedOperator(db)
  for (const name of ['contoso', 'fabrikam']) await operator.putAccount(name)
  await operator.put('contoso', e164)
  await operator.runAll()
})

const observed = async (db: Db, accountName: string) => {
  const account = await findAccount(db, accountName)
  const [number] = await readNumbers(db, account?.id ?? '', [e164], ['oc'])
  return number?.sync.observed
}
const reported = { oc: expect.objectContaining({ acquiredCapabilities: expect.any(Array) as unknown }) as unknown }

describe('a number put on another account while the backend is down', () => {
  it('shows nothing that was observed under the tenant before, until it is synced', async ({ db }) => {
    expect(await observed(db, 'contoso')).toEqual(reported)
    await operator.backends.oc.control.misbehave('unavailable', {})
    await operator.deleteNumbers('contoso', [e164])
    await operator.put('fabrikam', e164)
    expect(await observed(db, 'fabrikam')).toEqual({})
    await operator.runAll()
    expect(await observed(db, 'fabrikam')).toEqual({})
    await operator.settle()
    expect(await observed(db, 'fabrikam')).toEqual(reported)
  })

  it('shows nothing of a report that was under way when it moved', async ({ db }) => {
    const stop = operator.watched.stop('updateNumbers', 'after')
    await operator.put('contoso', e164, 'CallingUserAssignment')
    const running = operator.run()
    await stop.reached
    await operator.deleteNumbers('contoso', [e164])
    await operator.put('fabrikam', e164)
    stop.go()
    await running
    expect(await observed(db, 'fabrikam')).toEqual({})
    await operator.settle()
    expect(await observed(db, 'fabrikam')).toEqual(reported)
  })

  it('shows nothing of a verification that was under way when it moved', async ({ db }) => {
    operator.clock.advance(operator.deps.verifyIntervalMs)
    const stop = operator.watched.stop('getNumbers', 'after')
    const running = verify(operator.deps, 'oc', 10)
    await stop.reached
    await operator.deleteNumbers('contoso', [e164])
    await operator.put('fabrikam', e164)
    stop.go()
    await running
    expect(await observed(db, 'fabrikam')).toEqual({})
  })

  it('that comes back to its account is as new there', async ({ db }) => {
    await operator.backends.oc.control.misbehave('unavailable', {})
    await operator.deleteNumbers('contoso', [e164])
    await operator.put('contoso', e164)
    expect(await observed(db, 'contoso')).toEqual({})
  })
})
