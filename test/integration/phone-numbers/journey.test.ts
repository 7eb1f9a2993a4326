import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})

const search = {
  phoneNumberType: 'geographic',
  assignmentType: 'application',
  capabilities: { calling: 'inbound', sms: 'none' },
}

describe("the buyer's journey", () => {
  it('leads from a search to an owned number', async () => {
    await enterStock(db)
    const found = await buyer.send('POST', '/availablePhoneNumbers/countries/US/:search', { body: search })
    expect(found.statusCode).toBe(202)
    const { searchId, phoneNumbers } = found.json<{ searchId: string; phoneNumbers: string[] }>()
    const bought = await buyer.send('POST', '/availablePhoneNumbers/:purchase', { body: { searchId } })
    expect(bought.statusCode).toBe(202)
    const owned = await buyer.send('GET', `/phoneNumbers/${phoneNumbers[0]}`)
    expect(owned.json()).toMatchObject({ phoneNumber: phoneNumbers[0], capabilities: search.capabilities })
  })
})
