import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runLinebook, startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { createPostgresDatabase, type PostgresDatabase } from '../fixtures/postgres-database.js'
import { all, buy, connect, connectWithKey, owned, purchase, release, search } from './clients.js'
import { signedFetch } from './signed-fetch.js'

describe('resources of one service', () => {
  let database: PostgresDatabase
  let env: Record<string, string>
  let linebook: Linebook
  let contosoKey: string
  let first: PhoneNumbersClient
  let contoso: PhoneNumbersClient

  beforeAll(async () => {
    database = await createPostgresDatabase({ migrated: false })
    env = { DATABASE_URL: database.url }
    linebook = await startLinebook({ env })
    // While the server runs: it must not need a restart to serve a new resource.
    contosoKey = (await addResource('contoso')).primary
    first = connect(linebook)
    contoso = connectWithKey(linebook, 'http', { key: contosoKey })
  })
  afterAll(async () => {
    await linebook?.stop()
    await database?.drop()
  })

  async function addResource(name: string, ...flags: string[]): Promise<{ primary: string; secondary: string }> {
    const { code, stdout, stderr } = await runLinebook(['resource', 'add', name, ...flags], { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [primary, secondary] = ['primary', 'secondary'].map(
      (slot) => new RegExp(`${slot} key +(\\S+)`).exec(stdout)?.[1],
    )
    if (primary === undefined || secondary === undefined) throw new Error(`no keys in:\n${stdout}`)
    return { primary, secondary }
  }

  it('share one stock: what one holds the other does not find', async () => {
    const everything = { countryCode: 'IE', areaCode: '20', quantity: 100 } as const
    const found = new Set((await search(first, everything)).phoneNumbers)
    const foundByContoso = (await search(contoso, everything)).phoneNumbers
    expect(found.size).toBe(100)
    expect(foundByContoso).toHaveLength(100)
    expect(foundByContoso.filter((number) => found.has(number))).toEqual([])
  })

  it('see only their own numbers', async () => {
    const [number] = await buy(first)
    const [numberOfContoso] = await buy(contoso)
    expect(await owned(first)).toContain(number)
    expect(await owned(first)).not.toContain(numberOfContoso)
    expect(await owned(contoso)).toContain(numberOfContoso)
    expect(await owned(contoso)).not.toContain(number)
  })

  it('cannot touch a number of the other one', async () => {
    const [number] = await buy(first, { capabilities: { calling: 'inbound', sms: 'none' } })
    await expect(contoso.getPurchasedPhoneNumber(number)).rejects.toMatchObject({ statusCode: 404, code: 'NotFound' })
    await expect(contoso.beginReleasePhoneNumber(number)).rejects.toMatchObject({ statusCode: 404, code: 'NotFound' })
    await expect(contoso.beginUpdatePhoneNumberCapabilities(number, { calling: 'outbound' })).rejects.toMatchObject({
      statusCode: 403,
      code: 'InsufficientPermissions',
    })
    expect((await first.getPurchasedPhoneNumber(number)).capabilities.calling).toBe('inbound')
  })

  it('cannot purchase, read or cancel a search of the other one', async () => {
    const { searchId, phoneNumbers } = await search(first)
    const asContoso = { accessKey: contosoKey }
    const operation = `/phoneNumbers/operations/search_${searchId}`

    await expect(contoso.beginPurchasePhoneNumbers(searchId)).rejects.toMatchObject({
      statusCode: 404,
      code: 'NotFound',
      message: `Input searchId ${searchId} cannot be found.`,
    })
    const result = await signedFetch(linebook, `/availablePhoneNumbers/searchResults/${searchId}`, asContoso)
    expect(result.status).toBe(404)
    expect((await signedFetch(linebook, operation, asContoso)).status).toBe(404)
    expect((await signedFetch(linebook, operation, { ...asContoso, method: 'DELETE' })).status).toBe(404)

    await purchase(first, searchId)
    expect(await owned(first)).toEqual(expect.arrayContaining(phoneNumbers))
  })

  it('pass a number on only when one has released it', async () => {
    const theOnlyOne = { phoneNumberType: 'tollFree', areaCode: '800' } as const
    const [number] = await buy(first, theOnlyOne)
    await expect(search(contoso, theOnlyOne)).rejects.toThrow(/OutOfStock/)
    await release(first, number)
    expect(await buy(contoso, theOnlyOne)).toEqual([number])
    await expect(first.getPurchasedPhoneNumber(number)).rejects.toMatchObject({ statusCode: 404 })
  })

  it('answer alone to the host that they claim, and to no other', async () => {
    const host = 'fabrikam.numbers.example'
    const { primary: accessKey } = await addResource('fabrikam', '--resource-host', host)
    const headers = { host }
    expect((await signedFetch(linebook, '/phoneNumbers', { headers, accessKey })).status).toBe(200)
    expect((await signedFetch(linebook, '/phoneNumbers', { accessKey })).status).toBe(401)
  })

  it('are shown by the command line, each with its connection string', async () => {
    const [list, connection] = await Promise.all([
      runLinebook(['resource', 'list'], { env }),
      runLinebook(['connection-string', 'contoso', '--endpoint', 'https://numbers.example/'], { env }),
    ])
    expect(list.stdout).toMatch(/^contoso .*\n(.*\n)*local /)
    expect(connection.stdout).toBe(`endpoint=https://numbers.example/;accesskey=${contosoKey}\n`)
  })

  it('get in with either key, and with a replaced one at once', async () => {
    const { secondary } = await addResource('rotating')
    const listWith = (key: string) => all(connectWithKey(linebook, 'http', { key }).listPurchasedPhoneNumbers())
    expect(await listWith(secondary)).toEqual([])
    const { stdout } = await runLinebook(['resource', 'rotate-key', 'rotating', 'primary'], { env })
    const replaced = /^ +(\S+)$/m.exec(stdout)?.[1] as string
    expect(await listWith(replaced)).toEqual([])
    expect(await listWith(secondary)).toEqual([])
  })
})
