import Type from 'typebox'
import * as models from './models.js'
import type { OperationContract } from './operation.js'
import { versionsSince } from './versions.js'

const none = Type.Object({})
const versions = versionsSince('2025-04-01')
const path = '/availablePhoneNumbers/reservations'
const onePath = `${path}/{reservationId}`

export const listReservations = {
  operationId: 'PhoneNumbers_ListReservations',
  summary: 'The reservations of the resource, ordered by their end',
  method: 'GET',
  path,
  versions,
  query: Type.Object({
    maxPageSize: Type.Optional(Type.Integer({ minimum: 1, default: 100 })),
    skip: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
    after: Type.Optional(
      Type.String({ maxLength: 100, description: 'Where the page before ended; only nextLink sets it' }),
    ),
  }),
  body: undefined,
  success: { status: 200, description: 'A page of reservations', body: models.PhoneNumbersReservations },
} satisfies OperationContract

export const createOrUpdateReservation = {
  operationId: 'PhoneNumbers_CreateOrUpdateReservation',
  summary: 'Reserve numbers, or change a reservation; prolongs it',
  method: 'PATCH',
  path: onePath,
  versions,
  query: none,
  body: models.PhoneNumbersReservationUpdate,
  bodyOptional: true,
  success: {
    status: 200,
    description: 'The reservation as it is now',
    body: models.PhoneNumbersReservation,
    otherwise: {
      201: 'The new reservation',
      207: 'The reservation, new or not, with the numbers that could not be reserved',
    },
  },
} satisfies OperationContract

export const getReservation = {
  operationId: 'PhoneNumbers_GetReservation',
  summary: 'A reservation with its numbers',
  method: 'GET',
  path: onePath,
  versions,
  query: none,
  body: undefined,
  success: { status: 200, description: 'The reservation', body: models.PhoneNumbersReservation },
} satisfies OperationContract

export const deleteReservation = {
  operationId: 'PhoneNumbers_DeleteReservation',
  summary: 'Give a reservation up; its numbers are free at once',
  method: 'DELETE',
  path: onePath,
  versions,
  query: none,
  body: undefined,
  success: { status: 204, description: 'Given up' },
} satisfies OperationContract

export const purchaseReservation = {
  operationId: 'PhoneNumbers_PurchaseReservation',
  summary: 'Purchase the numbers of a reservation',
  method: 'POST',
  path: `${onePath}/:purchase`,
  versions,
  query: none,
  body: models.PhoneNumbersReservationPurchaseRequest,
  bodyOptional: true,
  success: { status: 202, description: 'Accepted' },
} satisfies OperationContract
