/** Operator information: what can be said about a telephone number from outside of it. */
import Type, { type Static } from 'typebox'
import type { OperationContract } from './operation.js'
import { versionsSince } from './versions.js'

const operatorNumberTypes = ['unknown', 'other', 'geographic', 'mobile'] as const

export const OperatorInformationRequest = Type.Object({
  // How many there may be, and their form, is checked by the command: the published texts of those refusals are fixed.
  phoneNumbers: Type.Array(Type.String(), { description: 'Exactly one number, in E.164 form' }),
  options: Type.Optional(
    Type.Object({
      includeAdditionalOperatorDetails: Type.Optional(
        Type.Boolean({ default: false, description: 'Whether to tell more of the number than its formats' }),
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
      'Whose number it is. Of numbers that are not of this installation: whoever its block was first given to, which is ' +
      'wrong for a number that has been ported',
  }),
})
export type OperatorInformation = Static<typeof OperatorInformation>

export const OperatorInformationResult = Type.Object({ values: Type.Array(OperatorInformation) })

export const searchOperatorInformation = {
  operationId: 'PhoneNumbers_OperatorInformationSearch',
  summary: 'How a number is written and, when asked for, whose it is',
  method: 'POST',
  path: '/operatorInformation/:search',
  versions: versionsSince('2024-03-01'),
  query: Type.Object({}),
  body: OperatorInformationRequest,
  success: { status: 200, description: 'What is known of the number', body: OperatorInformationResult },
} satisfies OperationContract
