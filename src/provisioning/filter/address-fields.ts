import type { CivicAddress } from '../contract/models.js'
import { wireFields } from './wire-fields.js'

/** Latitude and longitude are texts on the wire, and are compared as texts. */
export const addressFields = wireFields<CivicAddress>()({
  id: 'string',
  country: 'string',
  houseNumber: 'string',
  houseNumberSuffix: 'string',
  preDirectional: 'string',
  streetName: 'string',
  streetSuffix: 'string',
  postDirectional: 'string',
  stateOrProvince: 'string',
  countyOrDistrict: 'string',
  cityOrTown: 'string',
  cityOrTownAlias: 'string',
  postalOrZipCode: 'string',
  description: 'string',
  companyName: 'string',
  companyId: 'string',
  defaultLocationId: 'string',
  validationStatus: 'string',
  tenantId: 'guid',
  partnerId: 'string',
  latitude: 'string',
  longitude: 'string',
})
