/** The settings that bound connections. */
import { amount, setting } from './setting.js'

const MOST = 1_000_000

export const connectionSettings = [
  setting({
    name: 'maxConnections',
    env: 'LINEBOOK_MAX_CONNECTIONS',
    flag: 'max-connections',
    value: 'COUNT',
    help: 'the most connections that each listener keeps open; further ones are closed at once. The process may need more file descriptors (ulimit -n)',
    fallback: '10000',
    parse: amount(1, MOST),
  }),
  setting({
    name: 'maxConnectionsPerAddress',
    env: 'LINEBOOK_MAX_CONNECTIONS_PER_ADDRESS',
    flag: 'max-connections-per-address',
    value: 'COUNT',
    help: 'the most of them from one address, 0 for any number; behind a proxy all come from its address',
    fallback: '0',
    parse: amount(0, MOST),
  }),
]
