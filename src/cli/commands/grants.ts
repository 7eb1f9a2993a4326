/** Which clients may use a resource with an access token, instead of one of its access keys. */
import { Command } from 'commander'
import { operator } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'

interface GrantJson {
  clientId: string
  /** Null: of every issuer that is trusted. */
  issuer: string | null
}

export const grantCommand = (io: Io): Command =>
  addClientOptions(new Command('grant'))
    .description('Let a client use a resource with an access token, as a role assignment does in Azure')
    .argument('<name>', 'the resource')
    .argument('<client-id>', 'as its tokens say it in appid, azp, oid or sub; for a person user/ and their oid')
    .option('--issuer <ISSUER>', 'only with tokens of this one: built-in, or as they say it in iss')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook resource grant contoso shop             a client made with "linebook client create shop"
  $ linebook resource grant contoso 3f1c7a52-8f0f-4a27-9d53-7d5ad0b0d5b1 \\
      --issuer https://login.microsoftonline.com/<tenant>/v2.0`,
    )
    .action((name: string, clientId: string, { issuer }: { issuer?: string }, command: Command) =>
      perform(io, command, async (client) => {
        const body = { clientId, ...(issuer !== undefined && { issuer }) }
        const json = await client.request('POST', operator`/resources/${name}/grants`, { body })
        const whose = issuer === undefined ? 'its' : `${issuer}'s`
        return { json, text: `${clientId} may use ${name} with ${whose} access tokens.` }
      }),
    )

export const grantsCommand = (io: Io): Command =>
  addClientOptions(new Command('grants'))
    .description('List the clients that may use a resource with an access token')
    .argument('<name>', 'the resource')
    .addHelpText('after', '\nExample:\n  $ linebook resource grants contoso')
    .action((name: string, _options, command: Command) =>
      perform(io, command, (client) => ({
        items: client.list<GrantJson>(operator`/resources/${name}/grants`),
        line: ({ clientId, issuer }: GrantJson) => (issuer === null ? clientId : `${clientId} (${issuer})`),
        none: `No client may use ${name} with an access token.`,
      })),
    )

export const revokeCommand = (io: Io): Command =>
  addClientOptions(new Command('revoke'))
    .description('Take from a client what it was granted on a resource; it ends within seconds')
    .argument('<name>', 'the resource')
    .argument('<client-id>', 'the client')
    .addHelpText('after', '\nExample:\n  $ linebook resource revoke contoso shop')
    .action((name: string, clientId: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('DELETE', operator`/resources/${name}/grants/${clientId}`)
        return { json, text: `${clientId} may not use ${name} any more.` }
      }),
    )
