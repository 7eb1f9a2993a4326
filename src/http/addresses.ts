/**
 * Lists of network addresses, and the address of a request's client. An IPv4 address inside an IPv6 one
 * (`::ffff:192.0.2.7`, as sockets for both show them) is the IPv4 address.
 */
import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from './server.js'

const SHAPE = 'IP addresses and ranges separated by commas, e.g. 203.0.113.7,198.51.100.0/24,2001:db8::/32'

/** Addresses and ranges of addresses. */
export class AddressList {
  // Apart, because a range of IPv6 addresses would match those IPv4 addresses that IPv6 has names for.
  readonly #ranges = { ipv4: new BlockList(), ipv6: new BlockList() }
  /** As they were written. */
  readonly entries: readonly string[]

  /** Throws an Error that describes valid values. */
  constructor(entries: readonly string[]) {
    this.entries = entries
    for (const entry of entries) {
      const { address, family, prefix } = parseRange(entry)
      this.#ranges[family].addSubnet(address, prefix, family)
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address)
    return plain !== undefined && this.#ranges[plain.family].check(plain.address, plain.family)
  }
}

/** Reads addresses and ranges separated by commas. Throws an Error that continues the sentence "it takes …". */
export const parseAddresses = (text: string): AddressList =>
  new AddressList(
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )

/**
 * The address that a request comes from: the socket's, or the one that the trusted proxies in between report. Each
 * proxy appends the address of its peer to X-Forwarded-For, so entries left of the first one that isn't ours can't be
 * trusted. Undefined, which means unknown, when a trusted proxy reports something that is not an address.
 */
export function clientAddress(request: FastifyRequest, trustedProxies: AddressList): string | undefined {
  const forwarded = request.headers['x-forwarded-for']
  const hops = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? ''))
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '')
  let client = plainAddress(request.raw.socket.remoteAddress ?? '')?.address
  while (client !== undefined && hops.length > 0 && trustedProxies.has(client)) {
    client = plainAddress(withoutPort(hops.pop() as string))?.address
  }
  return client
}

type Family = 'ipv4' | 'ipv6'

interface Address {
  address: string
  family: Family
}

const MAPPED_PREFIX_BITS = 96

function parseRange(entry: string): Address & { prefix: number } {
  const [text = '', bits, ...rest] = entry.split('/')
  const plain = plainAddress(text)
  const longest = text.includes(':') ? 128 : 32
  const given = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN
  // Of a range of IPv4 addresses inside IPv6 ones, the bits before the IPv4 address don't count.
  const prefix = plain?.family === 'ipv4' && longest === 128 ? given - MAPPED_PREFIX_BITS : given
  if (plain === undefined || rest.length > 0 || !(prefix >= 0 && given <= longest)) {
    throw new Error(`${SHAPE}; "${entry}" is neither`)
  }
  return { ...plain, prefix }
}

/** Undefined when the text is not an address. */
function plainAddress(text: string): Address | undefined {
  const bare = text.replace(/%.*$/, '')
  if (isIP(bare) === 4) return { address: bare, family: 'ipv4' }
  if (isIP(bare) !== 6) return undefined
  const address = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address)
  if (!mapped) return { address, family: 'ipv6' }
  const [high, low] = mapped.slice(1).map((group) => parseInt(group, 16)) as [number, number]
  return { address: [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.'), family: 'ipv4' }
}

/** Some proxies add the port: `203.0.113.7:50123`, `[2001:db8::1]:50123`. */
const withoutPort = (hop: string): string => hop.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
