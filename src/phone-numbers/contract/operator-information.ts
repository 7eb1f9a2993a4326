/** Operator information about a telephone number: its formats, and who operates it. */
import Type, { type Static } from 'typebox'
import type { OperationContract } from './operation.js'
import { versionsSince } from './versions.js'

const operatorNumberTypes = ['unknown', 'other', 'geographic', 'mobile'] as const

export const OperatorInformationRequest = Type.Object({
  // The command checks their count and form, because the published texts of those errors are fixed.
  phoneNumbers: Type.Array(Type.String(), { description: 'Exactly one number, in E.164 form' }),
  options: Type.Optional(
    Type.Object({
      includeAdditionalOperatorDetails: Type.Optional(
        Type.Boolean({ default: false, description: 'Whether to return more than the formats of the number' }),
      ),
    }),
  ),
})

const TextOrNull = Type.Union([Type.String(), Type.Null()])

export const OperatorDetails = Type.Object({
  name: TextOrNull,
  mobileNetworkCode: TextOrNull,
  mobileCountryCode: TextOrNull,
})

export const OperatorInformation = Type.Object({
  phoneNumber: Type.String(),
  nationalFormat: Type.String(),
  internationalFormat: Type.String(),
  isoCountryCode: TextOrNull,
  numberType: Type.Union([Type.Enum([...operatorNumberTypes]), Type.Null()]),
  operatorDetails: Type.Union([OperatorDetails, Type.Null()], {
    description:
      'The operator of the number. For a number of another installation, the operator that its block was first given ' +
      'to, which is wrong if the number has been ported',
  }),
})
export type OperatorInformation = Static<typeof OperatorInformation>

export const OperatorInformationResult = Type.Object({ values: Type.Array(OperatorInformation) })

export const searchOperatorInformation = {
  operationId: 'PhoneNumbers_OperatorInformationSearch',
  summary: 'The formats of a number and, on request, its operator',
  method: 'POST',
  path: '/operatorInformation/:search',
  versions: versionsSince('2024-03-01'),
  query: Type.Object({}),
  body: OperatorInformationRequest,
  success: { status: 200, description: 'What is known of the number', body: OperatorInformationResult },
} satisfies OperationContract
