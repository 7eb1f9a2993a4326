/** Whom a command asks how things stand: the server that runs, or the database itself. */
import { Option, type Command } from 'commander'
import { requeueFailed } from '../../accounts/commands/requeue.js'
import type { BackendChoice } from '../../backends/configure.js'
import type { Store } from '../../compose/store.js'
import type { Config } from '../../config/config.js'
import { DataDirInUse } from '../../db/data-dir-lock.js'
import { findRunning } from '../../db/running-server.js'
import { SetupError } from '../../errors.js'
import { statusOfCalls } from '../../operations/call-status.js'
import { statusOfBackends, syncServices, type ServiceAtWork } from '../../operator/status/status.js'
import { timelineOf } from '../../operator/status/timeline.js'
import { statusView, timelineView } from '../../operator/status/views.js'
import { serverAnswers, emulatorToken, type Answers } from './server-answers.js'
import { addSettings, configOf, STORE_SETTINGS, withStore } from './settings.js'

/** What commands add to their help about it. */
export const WHOM_IT_ASKS = `
It asks the configured database; where that is embedded and a server runs on it, it asks that server, and with --url
any server.`

export const addAnswerOptions = (command: Command): Command =>
  addSettings(
    command
      .addOption(new Option('--url <URL>', 'ask the server at this address instead of the database'))
      .addOption(new Option('--token <TOKEN>', 'access token for it, with the role ProvisioningAPI.Admin')),
    [...STORE_SETTINGS, 'backends'],
  )

/** Finds out whom to ask, and lets `work` ask. Throws SetupErrors. */
export async function withAnswers<T>(command: Command, work: (answers: Answers) => Promise<T>): Promise<T> {
  const { url, token } = command.opts<{ url?: string; token?: string }>()
  if ((url === undefined) !== (token === undefined)) {
    throw new SetupError(`--${url === undefined ? 'url' : 'token'}: --url and --token come together.`)
  }
  if (url !== undefined && token !== undefined) return work(serverAnswers(url, token))
  const config = configOf(command)
  const running = config.databaseUrl === undefined ? await findRunning(config.dataDir) : undefined
  if (running !== undefined) return work(serverAnswers(running, await emulatorToken(running, config)))
  try {
    return await withStore(command, (store) => work(storeAnswers(store, config)))
  } catch (error) {
    if (!(error instanceof DataDirInUse)) throw error
    throw new SetupError(
      `${error.message} Or ask that one, at its address: --url http://127.0.0.1:8080 --token TOKEN.`,
      {
        cause: error,
      },
    )
  }
}

export function storeAnswers({ db, clock }: Store, config: Config): Answers {
  const services = servicesChosen(config.backends)
  return {
    source: config.databaseUrl === undefined ? `the database in ${config.dataDir}` : 'the database',
    status: async () => {
      const now = clock.now()
      return statusView(await statusOfBackends(db, { services, now }), now, await statusOfCalls(db, now))
    },
    requeue: (wanted) => requeueFailed({ db, clock }, wanted),
    timeline: async (e164) => {
      const now = clock.now()
      const timeline = await timelineOf(db, e164, { now, services })
      return timeline && timelineView(timeline, now)
    },
  }
}

/** Whether a system somewhere else is being called, only the servers know that call it. */
const servicesChosen = (backends: BackendChoice): ServiceAtWork[] =>
  syncServices.map((code) => {
    const chosen = code === 'dns' ? 'built-in' : backends[code]
    return typeof chosen === 'string' ? { code, backend: chosen } : { code, backend: 'http', unavailable: 'unknown' }
  })
