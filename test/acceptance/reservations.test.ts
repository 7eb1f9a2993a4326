import type {
  AvailablePhoneNumber,
  PhoneNumbersClient,
  PhoneNumbersReservation,
} from '@azure/communication-phone-numbers'
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { all, connect, owned, quickly, schemes } from './clients.js'

const MINUTE_MS = 60_000

let linebook: Linebook
beforeAll(async () => {
  linebook = await borrowLinebook()
})

describe.each(schemes)('reserving numbers over %s', (scheme) => {
  let client: PhoneNumbersClient
  beforeAll(() => {
    client = connect(linebook, scheme)
  })

  const browse = async (countryCode = 'US'): Promise<[AvailablePhoneNumber, AvailablePhoneNumber]> => {
    const { phoneNumbers } = await client.browseAvailablePhoneNumbers({ countryCode, phoneNumberType: 'geographic' })
    const [first, second] = phoneNumbers
    if (!first || !second) throw new Error('browsing found too few numbers')
    return [first, second]
  }
  const reserve = (add: AvailablePhoneNumber[], reservationId: string = randomUUID()) =>
    client.createOrUpdateReservation({ reservationId }, { add })
  const numbersOf = ({ phoneNumbers = {} }: PhoneNumbersReservation) => Object.keys(phoneNumbers).sort()

  it('takes what browsing has shown, adds, removes, and tells it again when asked', async () => {
    const [first, second] = await browse()
    const reservationId = randomUUID()
    const made = await reserve([first], reservationId)
    expect(made).toMatchObject({ id: reservationId, status: 'active', phoneNumbers: { [first.id as string]: {} } })
    const { phoneNumbers = {} } = made
    expect(phoneNumbers[first.id as string]).toEqual({ ...first, status: 'reserved' })
    const remainingMs = (made.expiresAt as Date).getTime() - Date.now()
    expect(remainingMs).toBeGreaterThan(14 * MINUTE_MS)
    expect(remainingMs).toBeLessThanOrEqual(15 * MINUTE_MS)
    const changed = await client.createOrUpdateReservation(
      { reservationId },
      { add: [second], remove: [first.id as string] },
    )
    expect(numbersOf(changed)).toEqual([second.id])
    expect(await client.getReservation(reservationId)).toEqual(changed)
    await client.deleteReservation(reservationId)
  })

  it('says of a number that it could not add what was in the way, and goes on without it', async () => {
    const [first, second] = await browse()
    await reserve([first])
    const { id, phoneNumbers = {}, status } = await reserve([first, second])
    expect(status).toBe('active')
    expect(phoneNumbers).toMatchObject({
      [first.id as string]: {
        phoneNumber: first.phoneNumber,
        status: 'error',
        error: {
          code: 'FailedToReserveNumber',
          message: 'Failed to add the number to the reservation.',
          innerError: { code: 'NumberHeld' },
        },
      },
      [second.id as string]: { status: 'reserved' },
    })
    expect(numbersOf(await client.getReservation(id as string))).toEqual([second.id])
  })

  it('purchases all of a reservation, without a body', async () => {
    const [first, second] = await browse()
    const { id } = await reserve([first, second])
    const poller = await client.beginReservationPurchase(id as string, quickly)
    expect(await poller.pollUntilDone()).toMatchObject({
      reservationPurchaseId: id,
      operationId: `reservationPurchase_${id}`,
      body: { operationType: 'reservationPurchase', status: 'succeeded', resourceLocation: null },
    })
    expect(await owned(client)).toEqual(expect.arrayContaining([first.phoneNumber, second.phoneNumber]))
    expect(await client.getReservation(id as string)).toMatchObject({
      status: 'completed',
      phoneNumbers: { [first.id as string]: { status: 'purchased' }, [second.id as string]: { status: 'purchased' } },
    })
  })

  it('purchases what may not be resold only with the agreement', async () => {
    const [first] = await browse('FR')
    expect(first.isAgreementToNotResellRequired).toBe(true)
    const { id } = await reserve([first])
    await expect(client.beginReservationPurchase(id as string)).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadRequest',
      message: 'Do not resell agreement was not provided and it is required for this purchase.',
    })
    const poller = await client.beginReservationPurchase(id as string, { ...quickly, agreeToNotResell: true })
    await poller.pollUntilDone()
    expect(await owned(client)).toContain(first.phoneNumber)
  })

  it('lists reservations without their numbers, and forgets those given up', async () => {
    const [first] = await browse()
    const { id } = await reserve([first])
    const listed = (await all(client.listReservations())).find((reservation) => reservation.id === id)
    expect(listed).toEqual({ id, status: 'active', expiresAt: expect.any(Date) })
    await client.deleteReservation(id as string)
    expect((await all(client.listReservations())).map((reservation) => reservation.id)).not.toContain(id)
    await expect(client.getReservation(id as string)).rejects.toMatchObject({
      name: 'RestError',
      statusCode: 404,
      code: 'ReservationNotFound',
      message: 'The reservation was not found and the operation could not be completed.',
    })
    await reserve([first])
  })

  it('lists more reservations than a page has', async () => {
    const made = await Promise.all(Array.from({ length: 101 }, () => reserve([])))
    const listed = (await all(client.listReservations())).map(({ id }) => id)
    expect(new Set(listed).size).toBe(listed.length)
    for (const { id } of made) expect(listed).toContain(id)
  })

  it('refuses to purchase one that is empty, and to change one that was purchased', async () => {
    const [first] = await browse()
    const { id = '' } = await reserve([])
    await expect(client.beginReservationPurchase(id)).rejects.toMatchObject({ statusCode: 400, code: 'BadRequest' })
    await reserve([first], id)
    const poller = await client.beginReservationPurchase(id, quickly)
    await poller.pollUntilDone()
    for (const call of [() => reserve([], id), () => client.deleteReservation(id)]) {
      await expect(call()).rejects.toMatchObject({
        statusCode: 400,
        code: 'BadRequest',
        details: { error: { innerError: { code: 'ReservationNotActive' } } },
      })
    }
  })
})
