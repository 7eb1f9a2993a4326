// The files that are made from others and checked in, so that a change of one shows in review: paths and texts.
import { openApiDocument } from './openapi.js'
import { schemaSql } from './schema-sql.js'

/**
 * @param sources what the files are made from: the modules `config`, `operations`, `models` and `versions` of src/,
 * and `db`, a migrated database
 * @returns text by path
 */
export async function generatedFiles({ config, operations, models, versions, db }) {
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
    'openapi/phone-numbers.json': `${JSON.stringify(openApi, null, 2)}\n`,
    'schema.sql': await schemaSql(db),
  }
}

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
