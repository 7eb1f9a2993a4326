// What one number costs without Linebook: Fastify with its defaults, a pool of the same size, one prepared statement
// that finds the row by its primary key, and JSON. No access key is checked.
import Fastify from 'fastify'
import pg from 'pg'

const POOL_SIZE = 16 // the default of LINEBOOK_DATABASE_POOL_SIZE

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: POOL_SIZE })
const server = Fastify()
server.get('/phoneNumbers/:e164', async (request, reply) => {
  const { rows } = await pool.query({
    name: 'number',
    text: `select n.e164, p.country_code, p.number_type, n.assignment_type, n.calling, n.sms, n.price_amount,
                  n.price_currency, n.purchased_at, n.purchase_order
           from number n join place p on p.id = n.place_id where n.e164 = $1`,
    values: [request.params.e164],
  })
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(rows[0]))
})
const address = await server.listen({ host: '127.0.0.1', port: 0 })
console.log(`The bare handler is ready: endpoint=${address}/;accesskey=none`)

process.once('SIGTERM', () => process.exit())
