/** Accounts of the Provisioning API. */
import { Command, Option } from 'commander'
import { readFile } from 'node:fs/promises'
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import { SetupError } from '../../errors.js'
import { jsonOf } from '../../outbound.js'
import type { Client } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'
import { accountLine, accountText, type AccountJson } from '../text/account-text.js'

export const accountCommand = (io: Io): Command =>
  new Command('account')
    .description("Accounts are an operator's customers: whose numbers they are, and with which services")
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(putCommand(io))
    .addCommand(deleteCommand(io))
    .addHelpText('after', '\nExample:\n  $ linebook account put contoso --service teamsOperatorConnect --tenant <ID>')

const version = { 'api-version': '2024-02-29' }
const at = (name: string): string => `/accounts/${encodeURIComponent(name)}`

const listCommand = (io: Io): Command =>
  addClientOptions(new Command('list'))
    .description('List accounts by name, with their services and how many numbers use each')
    .addHelpText('after', '\nExample:\n  $ linebook account list')
    .action((_options, command: Command) =>
      perform(io, command, (client) => ({
        items: accounts(client),
        line: accountLine,
        none: 'There is no account.',
      })),
    )

async function* accounts(client: Client): AsyncGenerator<AccountJson> {
  for (let next: string | undefined = `/accounts?api-version=${version['api-version']}`; next !== undefined;) {
    const page: { value: AccountJson[]; nextLink?: string } = await client.request('GET', next)
    yield* page.value
    // It names the server as its clients know it, which may not be how we do.
    next = page.nextLink === undefined ? undefined : page.nextLink.replace(/^https?:\/\/[^/]*/, '')
  }
}

const showCommand = (io: Io): Command =>
  addClientOptions(new Command('show'))
    .description('Show an account')
    .argument('<name>', 'the account')
    .addHelpText('after', '\nExamples:\n  $ linebook account show contoso\n  $ linebook number list --account contoso')
    .action((name: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const account = await client.request<AccountJson>('GET', at(name), { query: version })
        return { json: account, text: accountText(account) }
      }),
    )

interface PutOptions {
  service?: ServiceKey[]
  tenant?: string
  correlationId?: string
  file?: string
}

const putCommand = (io: Io): Command =>
  addClientOptions(new Command('put'))
    .description('Make an account, or replace all that was said of it')
    .argument('<name>', 'letters, digits, hyphens and underscores')
    .addOption(new Option('--service <SERVICE...>', 'that it has').choices(serviceKeys))
    .option('--tenant <ID>', 'its Microsoft Teams tenant')
    .option('--correlation-id <ID>', 'what another system calls it')
    .option('--file <FILE>', 'the body of the request instead, as the Provisioning API takes it; - for standard input')
    .addHelpText(
      'after',
      `
What is left out is taken away. Direct Routing needs a subdomain: give it in a file.

Examples:
  $ linebook account put contoso --service teamsOperatorConnect zoomPhoneCloudPeering --tenant <ID>
  $ linebook account put contoso --file contoso.json`,
    )
    .action((name: string, options: PutOptions, command: Command) =>
      perform(io, command, async (client) => {
        const body = await bodyOf(io, options)
        const account = await client.request<AccountJson>('PUT', at(name), { body, query: version })
        return { json: account, text: accountText(account) }
      }),
    )

async function bodyOf(io: Io, { file, ...options }: PutOptions): Promise<object> {
  const { service = [], tenant, correlationId } = options
  if (file === undefined) {
    return {
      ...(correlationId !== undefined && { correlationId }),
      serviceDetails: {
        ...(tenant !== undefined && { teamsTenantId: tenant }),
        ...Object.fromEntries(service.map((key) => [key, switchedOn(key)])),
      },
    }
  }
  if (service.length > 0 || tenant !== undefined || correlationId !== undefined) {
    throw new SetupError('--file: it says everything, so --service, --tenant and --correlation-id go without it.')
  }
  const body = jsonOf(await textOf(io, file))
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw new SetupError(`--file: "${file}" holds no JSON object. A good one is {"serviceDetails": {}}.`)
}

const switchedOn = (key: ServiceKey): object =>
  key === 'azureOperatorCallProtection' ? { enabled: true } : { enabled: true, syncEnabled: true }

async function textOf({ stdin }: Io, file: string): Promise<string> {
  if (file === '-') return (await stdin.toArray()).map(String).join('')
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new SetupError(`--file: "${file}" can't be read: ${String(error)}`, { cause: error })
  })
}

const deleteCommand = (io: Io): Command =>
  addClientOptions(new Command('delete'))
    .description('Delete an account, which must have no numbers')
    .argument('<name>', 'the account')
    .option('--with-numbers', 'delete its numbers too')
    .addHelpText(
      'after',
      '\nExamples:\n  $ linebook account delete contoso\n  $ linebook account delete contoso --with-numbers',
    )
    .action((name: string, { withNumbers = false }: { withNumbers?: boolean }, command: Command) =>
      perform(io, command, async (client) => {
        // The API has no words for an account that is not there; a person may have mistyped it.
        await client.request('GET', at(name), { query: version })
        const query = { ...version, ...(withNumbers && { deleteNumbers: true }) }
        const json = await client.request('DELETE', at(name), { query })
        return { json, text: `Account ${name} is deleted.` }
      }),
    )
