import Type from 'typebox'
import { PhoneNumbersBrowseRequest, PhoneNumbersBrowseResult } from './models.js'
import type { OperationContract } from './operation.js'
import { versionsSince } from './versions.js'

export const browseAvailableNumbers = {
  operationId: 'PhoneNumbers_BrowseAvailableNumbers',
  summary: 'A random sample of the numbers for sale; holds none of them',
  method: 'POST',
  path: '/availablePhoneNumbers/countries/{countryCode}/:browse',
  versions: versionsSince('2025-04-01'),
  query: Type.Object({}),
  body: PhoneNumbersBrowseRequest,
  success: { status: 200, description: 'The sample', body: PhoneNumbersBrowseResult },
} satisfies OperationContract
