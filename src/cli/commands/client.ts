import { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { roleName, operatorRoleName, roles } from '../../auth/tokens/roles.js'
import { SetupError } from '../../errors.js'
import { operator } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'

/** As the Operator API shows it. */
interface ClientJson {
  clientId: string
  roles: string[]
  createdAt: string
  /** How many secrets work. */
  secrets: number
  signs: boolean
  /** When it has just been made. */
  secret?: string
}

export const clientCommand = (io: Io): Command =>
  new Command('client')
    .description('Clients get access tokens from the built-in issuer, with the roles that they are given')
    .addCommand(createCommand(io))
    .addCommand(listCommand(io))
    .addCommand(rotateSecretCommand(io))
    .addCommand(deleteCommand(io))
    .addCommand(rotateKeysCommand(io))
    .addHelpText(
      'after',
      '\nExample:\n  $ linebook client create billing --role ProvisioningAPI.Read ProvisioningAPI.Write',
    )

const allRoles = [...roles.map(roleName), ...roles.map(operatorRoleName)]

const createCommand = (io: Io): Command =>
  addClientOptions(new Command('create'))
    .description('Make a client and print its secret, this once')
    .argument('<name>', 'its client_id: letters, digits, dots, hyphens and underscores')
    .option('--role <ROLE...>', `${allRoles.join(', ')}; none for a client of Phone Numbers alone`)
    .option('--public-key <FILE>', 'what it signs with instead of showing a secret: PEM, a certificate or a JWK')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook client create billing --role ProvisioningAPI.Read ProvisioningAPI.Write
  $ linebook client create crm --role ProvisioningAPI.Read --public-key crm.pem
  $ linebook client create portal --role Operator.Read Operator.Write
  $ linebook client create shop                      then: linebook resource grant contoso shop`,
    )
    .action((clientId: string, options: { role?: string[]; publicKey?: string }, command: Command) =>
      perform(io, command, async (client) => {
        const publicKey = options.publicKey === undefined ? undefined : await readText(options.publicKey)
        const body = { clientId, roles: options.role ?? [], ...(publicKey !== undefined && { publicKey }) }
        const made = await client.request<ClientJson>('POST', operator`/clients`, { body })
        return { json: made, text: madeText(made) }
      }),
    )

const madeText = ({ clientId, roles: held, secret }: ClientJson): string =>
  [
    `Client ${clientId} has ${held.join(', ') || 'no role'}.`,
    ...(secret === undefined
      ? ['  It signs its requests with its key.']
      : [`  secret  ${secret}`, 'The secret is stored nowhere: keep it now.']),
  ].join('\n')

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw new SetupError(`--public-key: "${file}" can't be read: ${String(error)}`, { cause: error })
  })

const listCommand = (io: Io): Command =>
  addClientOptions(new Command('list'))
    .description('List clients with their roles')
    .addHelpText('after', '\nExample:\n  $ linebook client list')
    .action((_options, command: Command) =>
      perform(io, command, (client) => ({
        items: client.list<ClientJson>(operator`/clients`),
        line: ({ clientId, createdAt, signs, secrets, roles: held }: ClientJson) => {
          const shows = signs ? 'signs' : secrets > 1 ? `${secrets} secrets` : 'secret'
          return `${clientId.padEnd(24)} ${createdAt}  ${shows.padEnd(9)}  ${held.join(', ')}`
        },
        none: 'There is no client.',
      })),
    )

interface DropEarlier {
  dropEarlier?: boolean
}

const rotateSecretCommand = (io: Io): Command =>
  addClientOptions(new Command('rotate-secret'))
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
    .action((clientId: string, { dropEarlier = false }: DropEarlier, command: Command) =>
      perform(io, command, async (client) => {
        const path = operator`/clients/${clientId}:rotateSecret`
        const made = await client.request<{ secret: string }>('POST', path, { body: { dropEarlier } })
        return { json: made, text: `New secret of ${clientId}:\n  ${made.secret}` }
      }),
    )

const deleteCommand = (io: Io): Command =>
  addClientOptions(new Command('delete'))
    .description('Remove a client; the tokens it has stay good until they expire, within the hour')
    .argument('<name>', 'the client')
    .addHelpText(
      'after',
      `
What it was granted on resources stays, and a new client of its name would have it: see linebook resource grants, revoke.

Example:
  $ linebook client delete billing`,
    )
    .action((clientId: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('DELETE', operator`/clients/${clientId}`)
        return { json, text: `Client ${clientId} is removed.` }
      }),
    )

const rotateKeysCommand = (io: Io): Command =>
  addClientOptions(new Command('rotate-keys'))
    .description('Make a new key that tokens are signed with; those of the earlier ones stay good until they expire')
    .option('--drop-earlier', 'end all tokens that the earlier keys have signed, within a minute')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook client rotate-keys
  $ linebook client rotate-keys --drop-earlier       when a key may have leaked`,
    )
    .action(({ dropEarlier = false }: DropEarlier, command: Command) =>
      perform(io, command, async (client) => {
        const made = await client.request<{ kid: string }>('POST', operator`/issuer/keys:rotate`, {
          body: { dropEarlier },
        })
        return { json: made, text: `Tokens are now signed with the key ${made.kid}.` }
      }),
    )
