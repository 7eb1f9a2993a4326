/** What an installation is: its version and limits, and its settings. */
import { Command } from 'commander'
import { operator } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'

interface InfoJson {
  version: string
  mode: string
  apis: string[]
  engine: string
  time: string
  clockOffsetMs: number
  services: { service: string; backend: string }[]
}

export const infoCommand = (io: Io): Command =>
  addClientOptions(new Command('info'), ['backends', 'apis'])
    .description('Show version, mode, APIs, database engine, backends and time')
    .addHelpText('after', '\nExample:\n  $ linebook info --url https://numbers.example')
    .action((_options, command: Command) =>
      perform(io, command, async (client) => {
        const info = await client.request<InfoJson>('GET', operator`/info`)
        return { json: info, text: infoText(info, client.source) }
      }),
    )

const infoText = ({ version, mode, apis, engine, time, clockOffsetMs, services }: InfoJson, source: string): string =>
  [
    `Linebook ${version}, ${mode} mode, says ${source}`,
    `  APIs      ${apis.join(', ')}`,
    `  engine    ${engine}`,
    `  time      ${time}${clockOffsetMs === 0 ? '' : `, ${clockOffsetMs} ms from real time`}`,
    `  backends  ${services.map(({ service, backend }) => `${service}: ${backend}`).join(', ')}`,
  ].join('\n')

interface SettingJson {
  name: string
  value: string | null
  isSet: boolean
  source: string
  secret: boolean
}

export const settingsCommand = (io: Io): Command =>
  addClientOptions(new Command('settings'))
    .description('Show every setting, its value and where that came from; secrets as set or not set')
    .addHelpText('after', '\nExample:\n  $ linebook settings --url https://numbers.example')
    .action((_options, command: Command) =>
      perform(io, command, async (client) => {
        const { items } = await client.request<{ items: SettingJson[] }>('GET', operator`/settings`)
        return { json: items, text: items.map(settingLine).join('\n') }
      }),
    )

const settingLine = ({ name, value, isSet, source, secret }: SettingJson): string => {
  const shown = secret ? (isSet ? '(set, not shown)' : '(not set)') : (value ?? '')
  return `${name.padEnd(38)} ${source.padEnd(11)}  ${shown}`
}
