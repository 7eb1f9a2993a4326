import { changeReservation, giveUpReservation } from '../commands/change-reservation.js'
import { purchaseReservation } from '../commands/purchase-reservation.js'
import { getReservation, pageKey, pageOfReservations } from '../commands/read-reservations.js'
import * as contract from '../contract/reservations.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import { readChange } from '../model/reservation.js'
import { accepted } from './links.js'
import { pageOf, pageView } from './paging.js'
import { reservationSummaryView, reservationView } from './reservation-views.js'
import type { AddRoute } from './route.js'

export function addReservationRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  add(contract.listReservations, async ({ principal, query, version }) => {
    const page = pageOf(query)
    const { skip, limit } = page
    const reservations = await pageOfReservations(deps, principal, { after: query.after, skip, limit })
    const now = deps.clock.now()
    const rows = reservations.map((reservation) => reservationSummaryView(reservation, now))
    const last = reservations[page.size - 1]
    return pageView('reservations', rows, page, {
      path: contract.listReservations.path,
      version,
      ...(last && { after: pageKey(last) }),
    })
  })

  add(contract.createOrUpdateReservation, async ({ body, params, principal }, reply) => {
    const change = readChange(body.phoneNumbers ?? {})
    const changed = await changeReservation(deps, principal, params.reservationId as string, change)
    // As recorded, without a query.
    if (changed.created) reply.header('Location', `${contract.listReservations.path}/${changed.reservation.id}`)
    if (changed.failed.length > 0) reply.code(207)
    else if (changed.created) reply.code(201)
    return reservationView(changed, deps.clock.now(), changed.failed)
  })

  add(contract.getReservation, async ({ params, principal }) =>
    reservationView(await getReservation(deps, principal, params.reservationId as string), deps.clock.now()),
  )

  add(contract.deleteReservation, async ({ params, principal }) => {
    await giveUpReservation(deps, principal, params.reservationId as string)
  })

  add(contract.purchaseReservation, async (admitted, reply) => {
    const { body, params, version } = admitted
    const operation = await purchaseReservation(deps, admitted, {
      reservationId: params.reservationId as string,
      agreeToNotResell: body.agreeToNotResell === true,
    })
    accepted(reply, operation, version)
  })
}
