import { Argument, Command, Option } from 'commander'
import { EMULATOR_RESOURCE, type AccessKeys } from '../../auth/resources.js'
import { SetupError } from '../../errors.js'
import { operator, type Client } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { perform } from '../client/perform.js'
import { configOf } from '../client/settings.js'
import type { Io } from '../io.js'
import { grantCommand, grantsCommand, revokeCommand } from './grants.js'
import { addressCommand, entitleCommand, limitCommand, showCommand } from './resource-terms.js'

/** As the Operator API lists it. */
interface ResourceJson {
  name: string
  hosts: string[]
  createdAt: string
  disabledAt: string | null
}

export const resourceCommand = (io: Io): Command =>
  new Command('resource')
    .description('Resources are who buys numbers: each has a name, host names and two access keys')
    .addCommand(addCommand(io))
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(rotateKeyCommand(io))
    .addCommand(hostsCommand(io))
    .addCommand(grantCommand(io))
    .addCommand(grantsCommand(io))
    .addCommand(revokeCommand(io))
    .addCommand(limitCommand(io))
    .addCommand(entitleCommand(io))
    .addCommand(addressCommand(io))
    .addCommand(disableCommand(io))
    .addCommand(enableCommand(io))
    .addCommand(removeCommand(io))
    .addHelpText('after', '\nExample:\n  $ linebook resource add contoso --resource-host contoso.numbers.example')

const addCommand = (io: Io): Command =>
  addClientOptions(new Command('add'))
    .description('Make a resource and print its access keys')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .option('--resource-host <HOST...>', 'host name it answers to; without any, it answers to every host nobody claims')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook resource add contoso --resource-host contoso.numbers.example
  $ linebook resource add second                     told apart from others by its keys alone`,
    )
    .action((name: string, { resourceHost: hosts = [] }: { resourceHost?: string[] }, command: Command) =>
      perform(io, command, async (client) => {
        const made = await client.request<AccessKeys>('POST', operator`/resources`, { body: { name, hosts } })
        const text = [hostsText(name, hosts), `  primary key    ${made.primary}`, `  secondary key  ${made.secondary}`]
        return { json: made, text: text.join('\n') }
      }),
    )

const hostsText = (name: string, hosts: readonly string[]): string =>
  `Resource ${name} answers to ${hosts.join(', ') || 'every host that no other resource claims'}.`

const listCommand = (io: Io): Command =>
  addClientOptions(new Command('list'))
    .description('List resources with their host names')
    .addHelpText('after', '\nExample:\n  $ linebook resource list')
    .action((_options, command: Command) =>
      perform(io, command, (client) => ({
        items: client.list<ResourceJson>(operator`/resources`),
        line: ({ name, hosts, createdAt, disabledAt }: ResourceJson) =>
          `${name.padEnd(24)} ${createdAt}  ${hosts.join(', ') || 'any unclaimed host'}${disabledAt === null ? '' : '  disabled'}`,
        none: 'There is no resource.',
      })),
    )

const rotateKeyCommand = (io: Io): Command =>
  addClientOptions(new Command('rotate-key'))
    .description('Replace one access key of a resource; the old one stops working within seconds')
    .argument('<name>', 'the resource')
    .addArgument(new Argument('<key>', 'which key').choices(['primary', 'secondary']))
    .addHelpText('after', '\nExample:\n  $ linebook resource rotate-key contoso secondary')
    .action((name: string, which: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const made = await client.request<{ key: string }>('POST', operator`/resources/${name}/keys/${which}:rotate`)
        return { json: made, text: `New ${which} access key of ${name}:\n  ${made.key}` }
      }),
    )

const hostsCommand = (io: Io): Command =>
  addClientOptions(new Command('hosts'))
    .description('Say which host names a resource answers to, in place of those before')
    .argument('<name>', 'the resource')
    .argument('[hosts...]', 'none for every host that no other resource claims')
    .addHelpText('after', '\nExample:\n  $ linebook resource hosts contoso contoso.numbers.example')
    .action((name: string, hosts: string[], _options, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('PUT', operator`/resources/${name}/hosts`, { body: { hosts } })
        return { json, text: hostsText(name, hosts) }
      }),
    )

const disableCommand = (io: Io): Command =>
  addClientOptions(new Command('disable'))
    .description('Shut a resource out: its keys and tokens open nothing within seconds; what it owns stays')
    .argument('<name>', 'the resource')
    .addHelpText('after', '\nExample:\n  $ linebook resource disable contoso')
    .action((name: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('POST', operator`/resources/${name}:disable`)
        return { json, text: `${name} is shut out. To let it in again: linebook resource enable ${name}` }
      }),
    )

const enableCommand = (io: Io): Command =>
  addClientOptions(new Command('enable'))
    .description('Let a resource in again')
    .argument('<name>', 'the resource')
    .addHelpText('after', '\nExample:\n  $ linebook resource enable contoso')
    .action((name: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('POST', operator`/resources/${name}:enable`)
        return { json, text: `${name} may use Phone Numbers again.` }
      }),
    )

const removeCommand = (io: Io): Command =>
  addClientOptions(new Command('remove'))
    .description('Remove a resource that nothing is left of: no numbers, holds, operations or wallets')
    .argument('<name>', 'the resource')
    .addHelpText('after', '\nExample:\n  $ linebook resource remove contoso')
    .action((name: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const json = await client.request('DELETE', operator`/resources/${name}`)
        return { json, text: `${name} is removed.` }
      }),
    )

export const connectionStringCommand = (io: Io): Command =>
  addClientOptions(new Command('connection-string'), ['host', 'httpPort', 'httpsPort'])
    .description('Print the connection string that the Azure SDK takes')
    .argument('[name]', 'the resource', EMULATOR_RESOURCE)
    .addOption(new Option('--scheme <SCHEME>', 'which listener').choices(['http', 'https']).default('https'))
    .option('--endpoint <URL>', 'the address clients use, when it is not this machine, nor that of --url')
    .option('--secondary', 'with the secondary access key')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook connection-string --scheme http
  $ linebook connection-string contoso --endpoint https://contoso.numbers.example`,
    )
    .action((name: string, options: ConnectionOptions, command: Command) =>
      perform(io, command, async (client) => {
        const { hosts } = await client.request<ResourceJson>('GET', operator`/resources/${name}`)
        const { primary, secondary } = await client.request<AccessKeys>('GET', operator`/resources/${name}/keys`)
        const endpoint = options.endpoint ?? endpointOf(io, command, client, hosts)
        const connectionString = `endpoint=${endpoint.replace(/\/+$/, '')}/;accesskey=${options.secondary ? secondary : primary}`
        return { json: { connectionString }, text: connectionString }
      }),
    )

interface ConnectionOptions {
  url?: string
  scheme: 'http' | 'https'
  endpoint?: string
  secondary?: true
}

/** The server that was named; or the listener of one that is configured like this command. */
function endpointOf(io: Io, command: Command, client: Client, hosts: readonly string[]): string {
  const { url, scheme } = command.opts<ConnectionOptions>()
  if (url !== undefined && client.origin !== undefined) return client.origin
  const config = configOf(command, io.env)
  const port = scheme === 'http' ? config.httpPort : config.httpsPort
  if (port === undefined || port === 0) {
    const setting = `LINEBOOK_${scheme.toUpperCase()}_PORT`
    throw new SetupError(`${setting}: there is no fixed port to name; give the address with --endpoint.`)
  }
  const host = hosts[0] ?? (config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host)
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
