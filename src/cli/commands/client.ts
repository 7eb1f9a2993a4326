import { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { listGrants } from '../../auth/grant-store.js'
import { roleName, roles } from '../../auth/tokens/roles.js'
import { SetupError } from '../../errors.js'
import { addClient, removeClient, rotateSecret } from '../../issuer/clients.js'
import { readPublicKey } from '../../issuer/public-key.js'
import { rotateSigningKey } from '../../issuer/signing-keys.js'
import { listClients } from '../../issuer/store.js'
import { addSettings, print, STORE_SETTINGS, withStore } from '../connection/settings.js'

export const clientCommand = (): Command =>
  new Command('client')
    .description(
      'Clients get access tokens from the built-in issuer, with the roles in the Provisioning API that they are given',
    )
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(rotateSecretCommand())
    .addCommand(deleteCommand())
    .addCommand(rotateKeysCommand())
    .addHelpText(
      'after',
      '\nExample:\n  $ linebook client create billing --role ProvisioningAPI.Read ProvisioningAPI.Write',
    )

const createCommand = (): Command =>
  addSettings(new Command('create'), STORE_SETTINGS)
    .description('Make a client and print its secret, this once')
    .argument('<name>', 'its client_id: letters, digits, dots, hyphens and underscores')
    .option('--role <ROLE...>', `${roles.map(roleName).join(', ')}; none for a client of Phone Numbers alone`)
    .option('--public-key <FILE>', 'what it signs with instead of showing a secret: PEM, a certificate or a JWK')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook client create billing --role ProvisioningAPI.Read ProvisioningAPI.Write
  $ linebook client create crm --role ProvisioningAPI.Read --public-key crm.pem
  $ linebook client create shop                      then: linebook resource grant contoso shop`,
    )
    .action((clientId: string, options: { role?: string[]; publicKey?: string }, command: Command) =>
      withStore(command, async (store) => {
        const publicJwk = options.publicKey === undefined ? undefined : await readPublicKeyFile(options.publicKey)
        const wanted = options.role ?? []
        const secret = await addClient(store, { clientId, roles: wanted, publicJwk })
        print(`Client ${clientId} has ${[...new Set(wanted)].join(', ') || 'no role in the Provisioning API'}.`)
        print(secret === undefined ? '  It signs its requests with its key.' : `  secret  ${secret}`)
        if (secret !== undefined) print('The secret is stored nowhere: keep it now.')
      }),
    )

const listCommand = (): Command =>
  addSettings(new Command('list'), STORE_SETTINGS)
    .description('List clients with their roles')
    .addHelpText('after', '\nExample:\n  $ linebook client list')
    .action((_options, command: Command) =>
      withStore(command, async ({ db }) => {
        for (const { clientId, publicJwk, secretHashes, roles: held, createdAt } of await listClients(db)) {
          const shows = publicJwk ? 'signs' : secretHashes.length > 1 ? `${secretHashes.length} secrets` : 'secret'
          print(`${clientId.padEnd(24)} ${createdAt.toISOString()}  ${shows.padEnd(9)}  ${held.join(', ')}`)
        }
      }),
    )

const rotateSecretCommand = (): Command =>
  addSettings(new Command('rotate-secret'), STORE_SETTINGS)
    .description('Give a client a new secret; the one before it goes on working until the next rotation')
    .argument('<name>', 'the client')
    .option('--drop-earlier', 'let no earlier secret work from now on')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook client rotate-secret billing
  $ linebook client rotate-secret billing --drop-earlier     when the old one has leaked`,
    )
    .action((clientId: string, options: DropEarlier, command: Command) =>
      withStore(command, async (store) => {
        print(`New secret of ${clientId}:\n  ${await rotateSecret(store, clientId, options)}`)
      }),
    )

const deleteCommand = (): Command =>
  addSettings(new Command('delete'), STORE_SETTINGS)
    .description('Remove a client; the tokens it has stay good until they expire, within the hour')
    .argument('<name>', 'the client')
    .addHelpText('after', '\nExample:\n  $ linebook client delete billing')
    .action((clientId: string, _options, command: Command) =>
      withStore(command, async (store) => {
        await removeClient(store, clientId)
        print(`Client ${clientId} is removed.`)
        if ((await listGrants(store.db)).some((grant) => grant.clientId === clientId)) {
          print(
            'It still has grants on resources, which a new client of its name would have: linebook resource revoke.',
          )
        }
      }),
    )

const rotateKeysCommand = (): Command =>
  addSettings(new Command('rotate-keys'), STORE_SETTINGS)
    .description('Make a new key that tokens are signed with; those of the earlier ones stay good until they expire')
    .option('--drop-earlier', 'end all tokens that the earlier keys have signed, within a minute')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook client rotate-keys
  $ linebook client rotate-keys --drop-earlier       when a key may have leaked`,
    )
    .action((options: DropEarlier, command: Command) =>
      withStore(command, async (store) => {
        print(`Tokens are now signed with the key ${await rotateSigningKey(store, options)}.`)
      }),
    )

interface DropEarlier {
  dropEarlier?: true
}

async function readPublicKeyFile(file: string) {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SetupError(`--public-key: "${file}" can't be read: ${String(error)}`, { cause: error })
  })
  return readPublicKey(text, `"${file}"`)
}
