import { invalidInput } from '../../errors.js'
import type { FastifyReply } from '../../http/server.js'
import type { NumberType } from '../../ledger/number.js'
import { listOwned } from '../../ledger/reads.js'
import { subjectId } from '../../operations/operation.js'
import { areaCodesOf, countriesIn, localitiesOf, offeringsOf } from '../commands/browse-catalogue.js'
import { browseNumbers } from '../commands/browse-numbers.js'
import { changeCapabilities, getOwnedNumber, releaseOwnedNumber } from '../commands/change-number.js'
import { getSearchResult, searchNotFound } from '../commands/get-search-result.js'
import { cancelOperation, getOperation } from '../commands/operations.js'
import { purchaseSearch } from '../commands/purchase-search.js'
import { searchNumbers } from '../commands/search-numbers.js'
import { browseAvailableNumbers } from '../contract/browse.js'
import * as contract from '../contract/operations.js'
import type { RequestVersion } from '../contract/versions.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import { accepted, polled } from './links.js'
import { addOperatorInformationRoutes } from './operator-information.js'
import { pageOf, pageView } from './paging.js'
import { addReservationRoutes } from './reservations.js'
import type { AddRoute } from './route.js'
import { addSipRoutes } from './sip-routing.js'
import { availableNumberView, offeringView, operationView, ownedNumberView, searchResultView } from './views.js'

/** Adds every operation of the API. */
export function addRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  addCatalogueRoutes(add, deps)
  addSearchRoutes(add, deps)
  addOperationRoutes(add, deps)
  addNumberRoutes(add, deps)
  addReservationRoutes(add, deps)
  addSipRoutes(add, deps)
  addOperatorInformationRoutes(add, deps)
}

function addCatalogueRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  add(contract.listAvailableCountries, ({ query, version }, reply, request) => {
    const page = pageOf(query)
    const countries = countriesIn(deps, request.headers['accept-language'])
    const rows = countries.slice(page.skip, page.skip + page.limit)
    cacheable(reply)
    return pageView('countries', rows, page, { path: '/availablePhoneNumbers/countries', version })
  })

  add(contract.listAvailableLocalities, async ({ params, principal, query, version }, reply) => {
    const { administrativeDivision, phoneNumberType } = query
    requireTypeInVersion(phoneNumberType, version)
    const page = pageOf(query)
    const countryCode = params.countryCode as string
    const localities = await localitiesOf(
      deps,
      { pool: principal.pool, countryCode, numberType: phoneNumberType, administrativeDivision },
      page,
    )
    const rows = localities.map(({ locality, administrativeDivision: division }) => ({
      localizedName: locality,
      administrativeDivision: division === '' ? null : { localizedName: division, abbreviatedName: division },
    }))
    cacheable(reply)
    return pageView('phoneNumberLocalities', rows, page, {
      path: `/availablePhoneNumbers/countries/${countryCode}/localities`,
      version,
      filters: { administrativeDivision, phoneNumberType },
    })
  })

  add(contract.listAreaCodes, async ({ params, principal, query, version }, reply) => {
    const { phoneNumberType, assignmentType, locality, administrativeDivision } = query
    requireTypeInVersion(phoneNumberType, version)
    const page = pageOf(query)
    const countryCode = params.countryCode as string
    const areaCodes = await areaCodesOf(
      deps,
      {
        pool: principal.pool,
        countryCode,
        numberType: phoneNumberType,
        assignmentType,
        locality,
        administrativeDivision,
      },
      page,
    )
    const rows = areaCodes.map((areaCode) => ({ areaCode }))
    cacheable(reply)
    return pageView('areaCodes', rows, page, {
      path: `/availablePhoneNumbers/countries/${countryCode}/areaCodes`,
      version,
      filters: { phoneNumberType, assignmentType, locality, administrativeDivision },
    })
  })

  add(contract.listOfferings, ({ params, query, version }, reply) => {
    const { phoneNumberType, assignmentType } = query
    requireTypeInVersion(phoneNumberType, version)
    const page = pageOf(query)
    const countryCode = params.countryCode as string
    const offerings = offeringsOf(deps, { countryCode, numberType: phoneNumberType, assignmentType }).filter(
      ({ numberType }) => isTypeInVersion(numberType, version),
    )
    const rows = offerings.slice(page.skip, page.skip + page.limit).map(offeringView)
    cacheable(reply)
    return pageView('phoneNumberOfferings', rows, page, {
      path: `/availablePhoneNumbers/countries/${countryCode}/offerings`,
      version,
      filters: { phoneNumberType, assignmentType },
    })
  })
}

function addSearchRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  add(browseAvailableNumbers, async ({ body, params, principal, version }) => {
    requireTypeInVersion(body.phoneNumberType, version)
    const sample = await browseNumbers(deps, principal, {
      countryCode: params.countryCode as string,
      numberType: body.phoneNumberType,
      assignmentType: body.assignmentType,
      capabilities: body.capabilities ?? {},
      prefixes: body.phoneNumberPrefixes ?? [],
    })
    return { phoneNumbers: sample?.phoneNumbers.map((e164) => availableNumberView(e164, sample.offering)) ?? [] }
  })

  add(contract.searchAvailablePhoneNumbers, async (admitted, reply) => {
    const { body, params, version } = admitted
    requireTypeInVersion(body.phoneNumberType, version)
    const { operation, search } = await searchNumbers(deps, admitted, {
      countryCode: params.countryCode as string,
      numberType: body.phoneNumberType,
      assignmentType: body.assignmentType,
      capabilities: body.capabilities,
      areaCode: body.areaCode,
      quantity: body.quantity ?? 1,
    })
    accepted(reply, operation, version)
    return search && searchResultView(search, version, deps.clock.now())
  })

  add(contract.getSearchResult, async ({ params, principal, version }) => {
    const search = await getSearchResult(deps, principal, params.searchId as string)
    if (!isTypeInVersion(search.numberType, version)) throw searchNotFound(search.id)
    return searchResultView(search, version, deps.clock.now())
  })

  add(contract.purchasePhoneNumbers, async (admitted, reply) => {
    const { body, version } = admitted
    const agreeToNotResell = version.served >= '2025-04-01' && body.agreeToNotResell === true
    const operation = await purchaseSearch(deps, admitted, { searchId: body.searchId, agreeToNotResell })
    accepted(reply, operation, version)
  })
}

function addOperationRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  add(contract.getOperation, async ({ params, principal, version }, reply) => {
    const operation = await getOperation(deps, principal, params.operationId as string)
    polled(reply, operation, version)
    return operationView(operation, version, deps.clock.now())
  })

  add(contract.cancelOperation, async ({ params, principal }) => {
    await cancelOperation(deps, principal, params.operationId as string)
  })
}

function addNumberRoutes(add: AddRoute, deps: PhoneNumbersDeps): void {
  add(contract.listPhoneNumbers, async ({ principal, query, version }) => {
    const page = pageOf({ skip: query.skip, maxPageSize: query.top })
    const numbers = await listOwned(deps.db, principal.resourceId, {
      after: query.after,
      skip: page.skip,
      limit: page.limit,
    })
    const last = numbers[page.size - 1]
    const { nextLink, ...view } = pageView('phoneNumbers', numbers.map(ownedNumberView), page, {
      path: '/phoneNumbers',
      version,
      sizeName: 'top',
      ...(last && { after: last.purchaseOrder }),
    })
    return nextLink === null ? view : { ...view, nextLink }
  })

  add(contract.getByNumber, async ({ params, principal }) =>
    ownedNumberView(await getOwnedNumber(deps.db, principal, params.phoneNumber as string)),
  )

  add(contract.updateCapabilities, async (admitted, reply) => {
    const operation = await changeCapabilities(deps, admitted, admitted.params.phoneNumber as string, admitted.body)
    accepted(reply, operation, admitted.version)
    return { capabilitiesUpdateId: subjectId(operation) }
  })

  add(contract.releasePhoneNumber, async (admitted, reply) => {
    const operation = await releaseOwnedNumber(deps, admitted, admitted.params.phoneNumber as string)
    accepted(reply, operation, admitted.version)
  })
}

const cacheable = (reply: FastifyReply): void => {
  reply.header('Cache-Control', 'max-age=21600, private, stale-while-revalidate=86400')
}

const isTypeInVersion = (type: NumberType, { served }: RequestVersion): boolean =>
  type !== 'mobile' || served >= '2025-06-01'

function requireTypeInVersion(type: NumberType | undefined, version: RequestVersion): void {
  if (type === undefined || isTypeInVersion(type, version)) return
  throw invalidInput(
    `phoneNumberType mobile came with api-version 2025-06-01; with ${version.requested} it must be geographic or tollFree.`,
    'phonenumbertype',
  )
}
