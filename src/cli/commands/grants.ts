/** Who may use a resource with an access token, instead of one of its access keys. */
import { Command } from 'commander'
import { ANY_ISSUER, listGrants, type Grant } from '../../auth/grant-store.js'
import { grantAccess, revokeAccess } from '../../auth/grants.js'
import type { Db } from '../../db/db.js'
import { addSettings, print, STORE_SETTINGS, withStore } from '../connection/settings.js'

export const grantCommand = (): Command =>
  addSettings(new Command('grant'), STORE_SETTINGS)
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
    .action((resource: string, clientId: string, { issuer }: { issuer?: string }, command: Command) =>
      withStore(command, async (store) => {
        await grantAccess(store, { resource, clientId, issuer })
        print(`${clientId} may use ${resource} with ${issuer === undefined ? 'its' : `${issuer}'s`} access tokens.`)
      }),
    )

export const revokeCommand = (): Command =>
  addSettings(new Command('revoke'), STORE_SETTINGS)
    .description('Take from a client what it was granted on a resource; it ends within seconds')
    .argument('<name>', 'the resource')
    .argument('<client-id>', 'the client')
    .addHelpText('after', '\nExample:\n  $ linebook resource revoke contoso shop')
    .action((resource: string, clientId: string, _options, command: Command) =>
      withStore(command, async (store) => {
        await revokeAccess(store, { resource, clientId })
        print(`${clientId} may not use ${resource} any more.`)
      }),
    )

/** A line for each resource that has grants, by the resource's id. */
export async function grantLines(db: Db): Promise<ReadonlyMap<string, string>> {
  const byResource = new Map<string, string[]>()
  for (const grant of await listGrants(db)) {
    byResource.set(grant.resourceId, [...(byResource.get(grant.resourceId) ?? []), shown(grant)])
  }
  return new Map([...byResource].map(([id, names]) => [id, `  granted to ${names.join(', ')}`]))
}

const shown = ({ clientId, issuer }: Grant): string => (issuer === ANY_ISSUER ? clientId : `${clientId} (${issuer})`)
