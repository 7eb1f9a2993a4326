import { describe, expect, it } from 'vitest'
import { clientAddress, parseAddresses } from '../../src/http/addresses.js'
import type { FastifyRequest } from '../../src/http/server.js'

describe('a list of addresses', () => {
  const list = parseAddresses(' 203.0.113.7, 198.51.100.0/24,2001:db8::/32 ,::1, ::ffff:10.1.0.0/112')

  it.each([
    '203.0.113.7',
    '198.51.100.0',
    '198.51.100.255',
    '2001:db8::',
    '2001:DB8:ffff::1',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::1%lo',
    '::ffff:203.0.113.7',
    '::ffff:cb00:7107',
    '0:0:0:0:0:ffff:198.51.100.9',
    '10.1.255.255',
    '::ffff:10.1.2.3',
  ])('has %s', (address) => {
    expect(list.has(address)).toBe(true)
  })

  it.each([
    '203.0.113.8',
    '198.51.101.0',
    '2001:db9::1',
    '::2',
    '::cb00:7107',
    '10.2.0.0',
    '127.0.0.1',
    '',
    'localhost',
    '203.0.113.7 ',
    '203.0.113.07',
    '203.0.113.7, 1.2.3.4',
  ])('does not have "%s"', (address) => {
    expect(list.has(address)).toBe(false)
  })

  it('may be empty, and then has nothing', () => {
    expect(parseAddresses('').entries).toEqual([])
    expect(parseAddresses(' , ').has('127.0.0.1')).toBe(false)
  })

  it('may be everything', () => {
    const everything = parseAddresses('0.0.0.0/0,::/0')
    for (const address of ['0.0.0.0', '255.255.255.255', '::', 'ffff::1', '::ffff:1.2.3.4']) {
      expect(everything.has(address), address).toBe(true)
    }
    expect(parseAddresses('::/0').has('1.2.3.4')).toBe(false)
  })

  it('takes a range that is written with the address of one of its members', () => {
    expect(parseAddresses('10.9.8.7/8').has('10.0.0.1')).toBe(true)
  })

  it.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0',
    'example.com',
    '::ffff:10.0.0.0/95',
  ])('refuses %s, telling what it takes', (text) => {
    expect(() => parseAddresses(`127.0.0.1,${text}`)).toThrow(
      `IP addresses and ranges separated by commas, e.g. 203.0.113.7,198.51.100.0/24,2001:db8::/32; "${text}"`,
    )
  })
})

describe('the address of a client', () => {
  const proxies = parseAddresses('10.0.0.0/8,::1')
  const of = (remoteAddress: string | undefined, forwarded?: string | string[]) =>
    clientAddress(
      { headers: { 'x-forwarded-for': forwarded }, raw: { socket: { remoteAddress } } } as unknown as FastifyRequest,
      proxies,
    )

  it("is its socket's, whatever it says of itself", () => {
    expect(of('203.0.113.7')).toBe('203.0.113.7')
    expect(of('203.0.113.7', '127.0.0.1')).toBe('203.0.113.7')
    expect(of('::ffff:203.0.113.7', '127.0.0.1')).toBe('203.0.113.7')
  })

  it('is what the trusted proxy in between says', () => {
    expect(of('10.0.0.1', '203.0.113.7')).toBe('203.0.113.7')
    expect(of('::ffff:10.0.0.1', '203.0.113.7')).toBe('203.0.113.7')
    expect(of('10.0.0.1', '2001:DB8::0:7')).toBe('2001:db8::7')
  })

  it('is the right-most that is no trusted proxy; what stands left of it may be made up', () => {
    expect(of('10.0.0.1', '127.0.0.1, 203.0.113.7, 10.0.0.2')).toBe('203.0.113.7')
    expect(of('10.0.0.1', ['127.0.0.1', '203.0.113.7,::1'])).toBe('203.0.113.7')
  })

  it("is the proxy's own when it speaks for itself, or for another proxy", () => {
    expect(of('10.0.0.1')).toBe('10.0.0.1')
    expect(of('10.0.0.1', '')).toBe('10.0.0.1')
    expect(of('10.0.0.1', '10.0.0.3, 10.0.0.2')).toBe('10.0.0.3')
  })

  it('may be written with a port', () => {
    expect(of('10.0.0.1', '203.0.113.7:50123')).toBe('203.0.113.7')
    expect(of('10.0.0.1', '[2001:db8::7]:50123')).toBe('2001:db8::7')
    expect(of('10.0.0.1', '[2001:db8::7]')).toBe('2001:db8::7')
  })

  it('is unknown when a trusted proxy names no address, or the socket is gone', () => {
    expect(of('10.0.0.1', '203.0.113.7, unknown')).toBeUndefined()
    expect(of('10.0.0.1', '203.0.113.7, 10.0.0.999')).toBeUndefined()
    expect(of(undefined, '203.0.113.7')).toBeUndefined()
  })
})
