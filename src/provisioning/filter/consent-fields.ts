import type { RequestForInformation } from '../contract/models.js'
import { wireFields } from './wire-fields.js'

export const consentFields = wireFields<RequestForInformation>()({
  serviceProvisioningStatus: 'string',
  id: 'string',
  tenantId: 'guid',
  accountName: 'string',
  productContext: 'string',
  operatorId: 'string',
  status: 'string',
  consentedOn: 'dateTime',
  lastModifiedOn: 'dateTime',
  'customerRelationship/status': 'string',
  'customerRelationship/comment': 'string',
  'customerRelationship/lastModifiedOn': 'dateTime',
})
