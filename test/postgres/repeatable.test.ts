/** The same request sent many times at once, to two processes on one database. */
import { expect, it } from 'vitest'
import { sql } from '../../src/db/db.js'
import { openPostgres } from '../../src/db/postgres.js'
import { createLogger } from '../../src/log.js'
import { openTestPostgres } from '../fixtures/database.js'
import { opened } from '../fixtures/opened.js'
import { anOperator, operatorWith, type Operator } from '../fixtures/operator.js'
import { createTestService } from '../fixtures/service.js'

async function twoProcesses() {
  const db = opened(await openTestPostgres(16))
  const service = opened(await createTestService(db))
  const otherPool = opened(await openPostgres({ connectionString: db.url, poolSize: 16, logger: createLogger('warn') }))
  const { server } = opened(service.replicaOn(otherPool))
  const first = await anOperator(service)
  const repeatable = (id: string) => ({
    'repeatability-request-id': id,
    'repeatability-first-sent': service.clock.now().toUTCString(),
  })
  return { db, service, first, second: operatorWith(server, first.token), repeatable }
}

const TIMES = 20
const historyOf = (db: Awaited<ReturnType<typeof twoProcesses>>['db']) =>
  db.query<{ e164: string; event: string }>(sql`select e164, event from number_history order by e164, id`)

/** Sends it twenty times at once, by turns to the two, and once more when all have been answered. */
async function sendAtOnce(operators: [Operator, Operator], send: (operator: Operator) => ReturnType<Operator['get']>) {
  const answers = await Promise.all(Array.from({ length: TIMES }, (_, i) => send(operators[i % 2] as Operator)))
  const last = await send(operators[1])
  const done = answers.filter(({ statusCode }) => statusCode !== 409)
  for (const answer of answers.filter(({ statusCode }) => statusCode === 409)) {
    expect(answer.json()).toMatchObject({ error: { code: 'RepeatableRequestInProgress' } })
  }
  for (const { headers } of [...answers, last]) expect(headers['repeatability-result']).toBe('accepted')
  for (const { statusCode, headers, body } of done) {
    expect([statusCode, headers.etag, body]).toEqual([last.statusCode, last.headers.etag, last.body])
  }
  expect(done.length).toBeGreaterThan(0)
  return last
}

it('a number that is put twenty times at once under one id is put once', async () => {
  const { db, first, second, repeatable } = await twoProcesses()
  await first.put('/accounts/contoso', { serviceDetails: {} })
  for (let round = 0; round < 5; round++) {
    const target = `/accounts/contoso/numbers/+1206555010${round}`
    const headers = { ...repeatable(`id-${round}`), 'if-none-match': '*' }
    const put = (operator: Operator) => operator.put(target, { serviceDetails: {} }, headers)
    expect((await sendAtOnce([first, second], put)).statusCode).toBe(201)
  }
  const history = await historyOf(db)
  expect(history.map(({ e164 }) => e164)).toEqual([0, 1, 2, 3, 4].map((round) => `+1206555010${round}`))
  expect((await first.get('/accounts/contoso/numbers?countRecords=true')).headers['x-ms-record-count']).toBe('5')
})

it('an account that is made twenty times at once under one id is made once, and every response shows its records', async () => {
  const { first, second, repeatable } = await twoProcesses()
  const configuration = { subdomain: 'contoso', subdomainTokens: { region1Token: 'one', region2Token: 'two' } }
  const body = { serviceDetails: { teamsDirectRouting: { syncEnabled: true, enabled: true, configuration } } }
  const headers = { ...repeatable('an-id'), 'if-none-match': '*' }
  const last = await sendAtOnce([first, second], (operator) => operator.put('/accounts/contoso', body, headers))
  expect(last.statusCode).toBe(201)
  expect(last.json()).toMatchObject({ serviceDetails: { teamsDirectRouting: { subdomainStatus: 'provisioned' } } })
})

it('a refusal that is asked for twenty times at once under one id is one refusal', async () => {
  const { db, first, second, repeatable } = await twoProcesses()
  const put = (operator: Operator) =>
    operator.put('/accounts/nobody/numbers/+12065550100', { serviceDetails: {} }, repeatable('an-id'))
  expect((await sendAtOnce([first, second], put)).statusCode).toBe(404)
  expect(await historyOf(db)).toEqual([])
})

it('twenty numbers put at once under ids of their own are each put once', async () => {
  const { db, first, second, repeatable } = await twoProcesses()
  await first.put('/accounts/contoso', { serviceDetails: {} })
  const numbers = Array.from({ length: TIMES }, (_, i) => `+120655501${String(i).padStart(2, '0')}`)
  const put = (e164: string, operator: Operator) =>
    operator.put(`/accounts/contoso/numbers/${e164}`, { serviceDetails: {} }, repeatable(`put-${e164}`))
  const answers = await Promise.all(numbers.flatMap((e164) => [put(e164, first), put(e164, second)]))
  expect(answers.every(({ statusCode }) => statusCode === 201 || statusCode === 409)).toBe(true)
  expect((await historyOf(db)).map(({ e164 }) => e164)).toEqual(numbers)
})
