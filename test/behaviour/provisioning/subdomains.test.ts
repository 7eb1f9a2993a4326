/** Direct Routing's TXT records, and what an account says of them: what the zone really says. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import { directRouting, keptHere, tokens } from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(() => begin())
afterEach(() => service.close())

async function begin(env: Record<string, string> = {}): Promise<void> {
  service = await createTestService(db, { LINEBOOK_BASE_DOMAIN: 'voice.example', ...env })
  operator = await anOperator(service)
}

async function beginAgain(env: Record<string, string>): Promise<void> {
  await service.close()
  await begin(env)
}

interface Shown {
  serviceProvisioningStatus: string
  serviceDetails: { teamsDirectRouting?: { subdomainStatus: string; configuration?: object } }
}
const put = (teamsDirectRouting: object, name = 'contoso') =>
  operator.put(`/accounts/${name}`, { serviceDetails: { teamsDirectRouting } })
const statusIn = (answer: { json(): Shown }) => answer.json().serviceDetails.teamsDirectRouting?.subdomainStatus
const status = async (name = 'contoso') => statusIn(await operator.get(`/accounts/${name}`))
const records = async () => {
  const rows = await db.query<{ name: string; value: string }>(sql`select name, value from dns_record order by 1, 2`)
  return rows.map(({ name, value }) => `${name} ${value}`)
}
const FIRST = 'contoso.1r1.voice.example'
const SECOND = 'contoso.1r2.voice.example'
const ours = [`${FIRST} region1TokenValue`, `${SECOND} region2TokenValue`]

/** The zone does nothing it is told, and can't be asked either if wanted, until it is back. */
function zoneAway({ unreadable = false } = {}): () => void {
  const { zone } = service.wiring.provisioning.deps
  const { replaceTxt, lookupTxt } = zone
  const away = () => Promise.reject(new Error('The zone is away.'))
  zone.replaceTxt = away
  if (unreadable) zone.lookupTxt = away
  return () => Object.assign(zone, { replaceTxt, lookupTxt })
}
/** Until the reconciler tries again. */
const wait = () => service.clock.advance(60_000)

describe('the records of a subdomain', () => {
  it('are in the zone when the account is answered, one for each region, as they were given', async () => {
    const subdomainTokens = { region1Token: 'MS=ms12345678', region2Token: 'aB_-=' }
    const answer = await put(directRouting('Contoso', { subdomainTokens }))
    expect(answer.json()).toMatchObject({
      serviceProvisioningStatus: 'synced',
      serviceDetails: {
        teamsDirectRouting: {
          subdomainStatus: 'provisioned',
          configuration: { subdomain: 'Contoso', subdomainTokens },
        },
      },
    })
    expect(await records()).toEqual([`${FIRST} MS=ms12345678`, `${SECOND} aB_-=`])
  })

  it.each([
    ['both are gone', sql`delete from dns_record`, 'notProvisioned'],
    ['one is gone', sql`delete from dns_record where name = ${SECOND}`, 'inconsistent'],
    ['one has another value', sql`update dns_record set value = 'x' where name = ${FIRST}`, 'inconsistent'],
    ['one has another value beside', sql`insert into dns_record values (${FIRST}, 'x')`, 'inconsistent'],
    [
      'they have been exchanged',
      sql`update dns_record set name = case name when ${FIRST} then ${SECOND} else ${FIRST} end`,
      'inconsistent',
    ],
    ['others are there', sql`insert into dns_record values ('fabrikam.1r1.voice.example', 'x')`, 'provisioned'],
  ])('are compared with the zone at each read: %s', async (_, tamper, expected) => {
    const before = await put(directRouting())
    await db.query(tamper)
    const seen = await operator.get('/accounts/contoso')
    expect(statusIn(seen)).toBe(expected)
    expect((await operator.get('/accounts')).json()).toEqual({ value: [seen.json()] })
    expect(seen.headers.etag === before.headers.etag).toBe(expected === 'provisioned')
    // The account is as it was: a write by its tag goes through, and mends the zone.
    const again = await operator.put(
      '/accounts/contoso',
      { serviceDetails: { teamsDirectRouting: directRouting() } },
      { 'if-match': String(before.headers.etag) },
    )
    expect(statusIn(again)).toBe('provisioned')
    expect((await records()).filter((record) => record.startsWith('contoso'))).toEqual(ours)
  })

  it('are replaced with the tokens and with the label', async () => {
    await put(directRouting())
    const subdomainTokens = { ...tokens, region2Token: 'other' }
    expect(statusIn(await put(directRouting('contoso', { subdomainTokens })))).toBe('provisioned')
    expect(await records()).toEqual([ours[0], `${SECOND} other`])
    expect(statusIn(await put(directRouting('fabrikam')))).toBe('provisioned')
    expect(await records()).toEqual(ours.map((record) => record.replace('contoso', 'fabrikam')))
    expect(statusIn(await put(directRouting('FABRIKAM')))).toBe('provisioned')
    expect(await records()).toHaveLength(2)
  })

  it.each([
    ['switched off', { ...directRouting(), enabled: false }],
    ['left without a configuration', keptHere],
  ])('are taken out when Direct Routing is %s', async (_, off) => {
    await put(directRouting())
    expect(statusIn(await put(off))).toBe('notProvisioned')
    expect(await records()).toEqual([])
    expect(statusIn(await put(directRouting()))).toBe('provisioned')
  })

  it('are taken out with the service, and with the account', async () => {
    await put(directRouting())
    await operator.put('/accounts/contoso', {})
    expect(await records()).toEqual([])
    await put(directRouting())
    await operator.delete('/accounts/contoso')
    expect(await records()).toEqual([])
  })

  it('never were, of an account that never had Direct Routing on', async () => {
    expect(statusIn(await put({ ...directRouting(), enabled: false }))).toBe('notProvisioned')
    expect(statusIn(await put(keptHere, 'second'))).toBe('notProvisioned')
    expect(await records()).toEqual([])
  })
})

describe('a label', () => {
  const inUse = {
    error: { code: 'SubdomainInUse', target: 'serviceDetails.teamsDirectRouting.configuration.subdomain' },
  }

  it('is one account’s, in any letter case, on or off', async () => {
    await put(directRouting())
    await put({ ...directRouting('parked'), enabled: false }, 'second')
    for (const label of ['contoso', 'CONTOSO', 'Parked']) {
      const answer = await put(directRouting(label), 'third')
      expect(answer.statusCode).toBe(409)
      expect(answer.json()).toMatchObject(inUse)
      expect(answer.body).not.toContain('second')
    }
    expect((await operator.get('/accounts/third')).statusCode).toBe(404)
    expect((await put(directRouting('other'), 'third')).statusCode).toBe(201)
    const moved = await put(directRouting('contoso'), 'third')
    expect(moved.json()).toMatchObject(inUse)
    expect(await status('third')).toBe('provisioned')
    expect(await records()).toHaveLength(4)
  })

  it('is free again once its account has another, or is deleted', async () => {
    await put(directRouting())
    await put(directRouting('other'))
    expect(statusIn(await put(directRouting(), 'second'))).toBe('provisioned')
    await operator.delete('/accounts/second')
    expect(statusIn(await put(directRouting('Contoso'), 'third'))).toBe('provisioned')
    expect(await status()).toBe('provisioned')
  })
})

it('an account that is deleted while its records are made is answered as it was put', async () => {
  const { zone } = service.wiring.provisioning.deps
  const replaceTxt = zone.replaceTxt.bind(zone)
  zone.replaceTxt = async (wanted) => {
    zone.replaceTxt = replaceTxt
    expect((await operator.delete('/accounts/contoso')).statusCode).toBe(204)
    await replaceTxt(wanted)
  }
  const answer = await put(directRouting())
  expect(answer.statusCode).toBe(201)
  expect(answer.json()).toMatchObject({ name: 'contoso' })
  wait()
  await reconcileAll(service, ['dns'])
  expect((await operator.get('/accounts/contoso')).statusCode).toBe(404)
  expect(await records()).toEqual([])
})

describe('the regions', () => {
  it('of a lab are one; the second token is asked for, and kept, all the same', async () => {
    await beginAgain({ LINEBOOK_DNS_REGIONS: '1' })
    const answer = await put(directRouting())
    expect(answer.json()).toMatchObject({ serviceDetails: { teamsDirectRouting: directRouting() } })
    expect(statusIn(answer)).toBe('provisioned')
    expect(await records()).toEqual(ours.slice(0, 1))
    const oneToken = await put(directRouting('contoso', { subdomainTokens: { region1Token: 'x' } }))
    expect(oneToken.statusCode).toBe(400)
  })

  it('have the names that the operator gives them', async () => {
    await beginAgain({ LINEBOOK_DNS_REGION_PATTERN: 'pstn-region<n>' })
    await put(directRouting())
    expect(await records()).toEqual([
      'contoso.pstn-region1.voice.example region1TokenValue',
      'contoso.pstn-region2.voice.example region2TokenValue',
    ])
  })

  it('make names of any length, unless the limit of 48 characters is to be kept', async () => {
    const baseDomain = `${'a'.repeat(25)}.example`
    const labels = { fits: 'x'.repeat(10), over: 'x'.repeat(10) }
    const env = { LINEBOOK_ENFORCE_DOMAIN_LENGTH: 'on' }
    await beginAgain({ LINEBOOK_BASE_DOMAIN: baseDomain, ...env })
    expect(`${labels.fits}.1r1.${baseDomain}`).toHaveLength(48)
    expect((await put(directRouting(labels.fits))).statusCode).toBe(201)
    await beginAgain({ LINEBOOK_BASE_DOMAIN: `a${baseDomain}`, ...env })
    const answer = await put(directRouting(labels.over))
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({
      error: {
        code: 'InvalidRequestBody',
        message: expect.stringMatching(/49 .* 48/) as string,
        target: 'serviceDetails.teamsDirectRouting.configuration.subdomain',
      },
    })
    await beginAgain({ LINEBOOK_BASE_DOMAIN: `a${baseDomain}` })
    expect((await put(directRouting(labels.over))).statusCode).toBe(201)
  })
})

describe('a zone that is away', () => {
  it.each([
    ['can be read', {}, 'notProvisioned'],
    ['cannot be read either', { unreadable: true }, 'inconsistent'],
  ])('keeps no account from being put, is told of in the answer, and caught up with: it %s', async (_, how, told) => {
    const back = zoneAway(how)
    const answer = await put(directRouting())
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({ serviceProvisioningStatus: 'synced', serviceProvisioningErrors: null })
    expect(statusIn(answer)).toBe(told)
    expect(await status()).toBe(told)
    expect((await operator.get('/accounts')).statusCode).toBe(200)
    back()
    expect(await status()).toBe('notProvisioned')
    wait()
    await reconcileAll(service, ['dns'])
    expect(await status()).toBe('provisioned')
    expect(await records()).toEqual(ours)
  })

  it('leaves records of labels that are no longer wanted, which the account says until they are gone', async () => {
    await put(directRouting())
    const back = zoneAway()
    expect(statusIn(await put(directRouting('fabrikam')))).toBe('inconsistent')
    expect(statusIn(await put(keptHere))).toBe('inconsistent')
    back()
    wait()
    await reconcileAll(service, ['dns'])
    expect(await status()).toBe('notProvisioned')
    expect(await records()).toEqual([])
  })

  it('keeps no account from going; its label may be another’s before its records are gone', async () => {
    await put(directRouting())
    const back = zoneAway()
    expect((await operator.delete('/accounts/contoso')).statusCode).toBe(204)
    const answer = await put(
      directRouting('contoso', { subdomainTokens: { ...tokens, region1Token: 'new' } }),
      'second',
    )
    expect(answer.statusCode).toBe(201)
    expect(statusIn(answer)).toBe('inconsistent')
    back()
    wait()
    await reconcileAll(service, ['dns'])
    expect(await status('second')).toBe('provisioned')
    expect(await records()).toEqual([`${FIRST} new`, ours[1]])
  })
})
