// The files that are made from others and checked in, so that a change of one shows in review: paths and texts.
import { openApiDocument } from './openapi.js'
import { backendProtocolDocument } from './openapi-backend-protocol.js'
import { operatorDocument } from './openapi-operator.js'
import { provisioningDocument } from './openapi-provisioning.js'
import { schemaSql } from './schema-sql.js'

/**
 * @param sources what the files are made from: the modules `config`, `operations`, `models` and `versions` of src/;
 * `provisioning`, those of the Provisioning API; `operator`, those of the Operator API; `backendProtocol`; and `db`, a
 * migrated database
 * @returns text by path
 */
export async function generatedFiles({
  config,
  operations,
  models,
  versions,
  provisioning,
  operator,
  backendProtocol,
  db,
}) {
  const openApi = openApiDocument({
    title: 'Linebook: the Phone Numbers API',
    version: versions.apiVersions.at(-1),
    description:
      'What Linebook serves of the Azure Communication Services Phone Numbers API (data plane). ' +
      'Generated from src/phone-numbers/contract by: npm run generate',
    operations: operations.operations,
    models,
    error: 'CommunicationErrorResponse',
    securitySchemes: { accessKey: ACCESS_KEY_SCHEME },
  })
  return {
    '.env.example': config.envExample(),
    'openapi/phone-numbers.json': asText(openApi),
    'openapi/provisioning.json': asText(provisioningDocument(current(provisioning))),
    'openapi/provisioning-2023-10-01.json': asText(provisioningDocument(facade(provisioning))),
    'openapi/operator.json': asText(operatorDocument(operator)),
    'openapi/backend-protocol.json': asText(backendProtocolDocument(backendProtocol)),
    'schema.sql': await schemaSql(db),
  }
}

const asText = (document) => `${JSON.stringify(document, null, 2)}\n`

const WHAT = 'What Linebook serves of the Azure Communications Gateway Provisioning API'

const current = ({ operation, operations, models, requests, parameters, versions, errors }) => ({
  title: 'Linebook: the Provisioning API',
  version: versions.versions2024[0],
  description: `${WHAT}. Generated from src/provisioning/contract by: npm run generate`,
  operations: operations.operations,
  models: { ...models, ...schemasOf(requests) },
  ...parameters,
  ...operation,
  ...errors,
})

const facade = ({ operation, facadeOperations, facadeModels, models, parameters, versions, errors }) => ({
  title: `Linebook: the Provisioning API of ${versions.versions2023[0]}`,
  version: versions.versions2023[0],
  description:
    `${WHAT} in its older api-version, over the same accounts and numbers. ` +
    'Generated from src/provisioning/facade-2023 by: npm run generate',
  operations: facadeOperations.operations,
  models: { ...facadeModels, ErrorResponse: models.ErrorResponse },
  ...parameters,
  ...operation,
  ...errors,
})

/** A module's schemas, without its other values. */
const schemasOf = (module) =>
  Object.fromEntries(Object.entries(module).filter(([, exported]) => typeof exported === 'object'))

const ACCESS_KEY_SCHEME = {
  type: 'apiKey',
  in: 'header',
  name: 'Authorization',
  description: [
    'A signature made with an access key of the resource:',
    '',
    '    Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}',
    '    x-ms-date: {date, as in RFC 9110}',
    '    x-ms-content-sha256: {base64(SHA-256(body))}',
    '',
    '    signature    = base64(HMAC-SHA256(base64decode(accessKey), stringToSign))',
    '    stringToSign = METHOD \\n pathAndQuery \\n {x-ms-date};{host};{x-ms-content-sha256}',
    '',
    'The official SDKs do it with the access key of a connection string.',
  ].join('\n'),
}
