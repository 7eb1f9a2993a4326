import { Argument, Command, Option } from 'commander'
import { listResources } from '../../auth/resource-store.js'
import { addResource, revealResource, rotateKey, EMULATOR_RESOURCE, type AccessKeys } from '../../auth/resources.js'
import type { Config } from '../../config/config.js'
import { SetupError } from '../../errors.js'
import { addSettings, print, STORE_SETTINGS, withStore } from '../connection/settings.js'
import { grantCommand, grantLines, revokeCommand } from './grants.js'
import { addressCommand, entitleCommand, limitCommand, showCommand } from './resource-terms.js'

export const resourceCommand = (): Command =>
  new Command('resource')
    .description('Resources are who buys numbers: each has a name, host names and two access keys')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(rotateKeyCommand())
    .addCommand(grantCommand())
    .addCommand(revokeCommand())
    .addCommand(limitCommand())
    .addCommand(entitleCommand())
    .addCommand(addressCommand())
    .addHelpText('after', '\nExample:\n  $ linebook resource add contoso --resource-host contoso.numbers.example')

const addCommand = (): Command =>
  addSettings(new Command('add'), STORE_SETTINGS)
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
    .action((name: string, options: { resourceHost?: string[] }, command: Command) =>
      withStore(command, async (store) => {
        const hosts = options.resourceHost ?? []
        const keys = await addResource(store, { name, hosts })
        print(describeKeys(name, hosts, keys))
      }),
    )

const listCommand = (): Command =>
  addSettings(new Command('list'), STORE_SETTINGS)
    .description('List resources with their host names and who may use them with access tokens')
    .addHelpText('after', '\nExample:\n  $ linebook resource list')
    .action((_options, command: Command) =>
      withStore(command, async ({ db }) => {
        const grants = await grantLines(db)
        for (const { id, name, hosts, createdAt } of await listResources(db)) {
          print(`${name.padEnd(24)} ${createdAt.toISOString()}  ${hosts.join(', ') || 'any unclaimed host'}`)
          const granted = grants.get(id)
          if (granted !== undefined) print(granted)
        }
      }),
    )

const rotateKeyCommand = (): Command =>
  addSettings(new Command('rotate-key'), STORE_SETTINGS)
    .description('Replace one access key of a resource; the old one stops working within seconds')
    .argument('<name>', 'the resource')
    .addArgument(new Argument('<key>', 'which key').choices(['primary', 'secondary']))
    .addHelpText('after', '\nExample:\n  $ linebook resource rotate-key contoso secondary')
    .action((name: string, slot: 'primary' | 'secondary', _options, command: Command) =>
      withStore(command, async (store) => {
        print(`New ${slot} access key of ${name}:\n  ${await rotateKey(store, name, slot)}`)
      }),
    )

export const connectionStringCommand = (): Command =>
  addSettings(new Command('connection-string'), [...STORE_SETTINGS, 'host', 'httpPort', 'httpsPort'])
    .description('Print the connection string that the Azure SDK takes')
    .argument('[name]', 'the resource', EMULATOR_RESOURCE)
    .addOption(new Option('--scheme <SCHEME>', 'which listener').choices(['http', 'https']).default('https'))
    .option('--endpoint <URL>', 'the address clients use, when it is not this machine')
    .option('--secondary', 'with the secondary access key')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook connection-string --scheme http
  $ linebook connection-string contoso --endpoint https://contoso.numbers.example`,
    )
    .action((name: string, options: ConnectionOptions, command: Command) =>
      withStore(command, async (store, config) => {
        const { hosts, keys } = await revealResource(store, name)
        const endpoint = options.endpoint ?? endpointOf(config, options.scheme, hosts)
        print(
          `endpoint=${endpoint.replace(/\/+$/, '')}/;accesskey=${options.secondary ? keys.secondary : keys.primary}`,
        )
      }),
    )

interface ConnectionOptions {
  scheme: 'http' | 'https'
  endpoint?: string
  secondary?: true
}

function endpointOf(config: Config, scheme: 'http' | 'https', hosts: string[]): string {
  const port = scheme === 'http' ? config.httpPort : config.httpsPort
  if (port === undefined || port === 0) {
    const setting = `LINEBOOK_${scheme.toUpperCase()}_PORT`
    throw new SetupError(`${setting}: there is no fixed port to name; give the address with --endpoint.`)
  }
  const host = hosts[0] ?? (config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host)
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

const describeKeys = (name: string, hosts: string[], { primary, secondary }: AccessKeys): string =>
  [
    `Resource ${name} answers to ${hosts.join(', ') || 'every host that no other resource claims'}.`,
    `  primary key    ${primary}`,
    `  secondary key  ${secondary}`,
  ].join('\n')
