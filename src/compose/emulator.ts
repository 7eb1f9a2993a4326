/** The part of the composition root that makes what only an emulator has: its controls, and the control of its backends. */
import { setTimeout as wait } from 'node:timers/promises'
import { roleName } from '../auth/tokens/roles.js'
import type { Clock } from '../clock.js'
import { createTestControls, openTestControls, type TestControls } from '../emulator/controls.js'
import type { RoutedOperation } from '../emulator/inject/faults.js'
import { openBackendControl } from '../emulator/routes/backends.js'
import { DomainError } from '../errors.js'
import type { FastifyInstance, FastifyRequest } from '../http/server.js'
import { authenticateClient } from '../issuer/client-authentication.js'
import { IssuerError } from '../issuer/errors.js'
import { advanceByHand } from '../phone-numbers/commands/operations.js'
import { operations as phoneNumbersOperations } from '../phone-numbers/contract/operations.js'
import { searchErrorCodes } from '../phone-numbers/model/search.js'
import { showWho } from '../provisioning/admit.js'
import { isProvisioningPath } from '../provisioning/api.js'
import { operations as operations2024 } from '../provisioning/contract/operations.js'
import { operations as operations2023 } from '../provisioning/facade-2023/operations.js'
import { operationsJob, sweepJob } from '../workers/jobs.js'
import { Worker, type Job } from '../workers/worker.js'
import { fillEmulator, type Store } from './store.js'
import type { ControlledParts, CreateTestControls } from './test-controls.js'

/** How soon a process learns of what was told another one. */
const SETTINGS_INTERVAL_MS = 1_000
/** How long what others are carrying out is waited for after the clock was moved. */
const CATCH_UP_LIMIT_MS = 5_000
const CATCH_UP_PAUSE_MS = 10

export const createEmulator: CreateTestControls = (store) => {
  const { db, logger, clock: realClock } = store
  const controls = createTestControls({ db, logger, realClock, operations: routedOperations })
  const { clock, scripts, settings } = controls
  return {
    clock,
    courseOf: (kind, resourceName, usual) => scripts.courseOf(kind, resourceName, usual),
    workers: settingsWorkers(controls, { ...store, clock }),
    load: () => settings.load(),
    flush: () => settings.flush(),
    open: (server, parts) => openEmulator(server, controls, parts),
  }
}

const routedOperations: readonly RoutedOperation[] = [
  ...phoneNumbersOperations.map(({ operationId, method, path }) => ({ operationId, method, path })),
  ...[...operations2024, ...operations2023].flatMap(({ operationId, method, path, aliases }) =>
    [path, ...aliases].map((at) => ({ operationId, method, path: at })),
  ),
]

/** An embedded database has one process, which need not look. */
const settingsWorkers = ({ settings }: TestControls, { db, logger, clock }: Store): Worker[] => {
  const job: Job = {
    name: 'read the settings of the emulator',
    intervalMs: SETTINGS_INTERVAL_MS,
    runOnce: async () => {
      await settings.load()
      return { done: 0, more: false }
    },
  }
  return db.engine === 'pglite' ? [] : [new Worker(job, logger, clock)]
}

function openEmulator(server: FastifyInstance, controls: TestControls, parts: ControlledParts): void {
  const { config, store, realClock, deps, directory, throttle, provisioning, workers } = parts
  const { db, sealer, logger } = store
  const authorize = authorizer(parts)
  const nudgeAll = () => {
    for (const worker of workers) worker.nudge()
  }
  openTestControls(server, controls, {
    db,
    sealer,
    logger,
    realClock,
    authorize,
    fill: () => fillEmulator({ ...store, clock: realClock }, config),
    refresh: async () => {
      throttle.forget()
      provisioning.deps.announced.forget()
      await directory.reload()
      nudgeAll()
    },
    catchUp: async () => {
      // What is believed for a while would be for ever when the clock goes back.
      provisioning.deps.announced.forget()
      const operations = await finishDue(operationsJob(deps), store.clock)
      const swept = await runOut(sweepJob(deps))
      nudgeAll()
      return { operations, swept }
    },
    resourcesChanged: () => directory.reload(),
    failureCodes: Object.keys(searchErrorCodes),
    advance: (resourceId, operationId, to) => advanceByHand(deps, resourceId, operationId, to),
    internalErrorCode: (path) => (isProvisioningPath(path) ? 'InternalServerError' : 'InternalError'),
  })
  openBackendControl(server, { backends: provisioning.deps.backends, logger, authorize })
}

/** Runs a job until nothing is due, waiting a little for what others have taken. Returns how much was done here. */
async function finishDue(job: Job, clock: Clock): Promise<number> {
  const giveUpAt = performance.now() + CATCH_UP_LIMIT_MS
  let total = 0
  for (;;) {
    total += await runOut(job)
    const dueAt = await job.nextDueAt?.()
    if (dueAt === undefined || dueAt > clock.now() || performance.now() > giveUpAt) return total
    await wait(CATCH_UP_PAUSE_MS)
  }
}

async function runOut(job: Job): Promise<number> {
  let total = 0
  for (;;) {
    const { done, more } = await job.runOnce()
    total += done
    if (!more) return total
  }
}

/**
 * Lets in administrators: by an access token, or by the id and secret of a client of the built-in issuer, which spares
 * a test the way over a token. Throws 'unauthenticated', 'role-missing'.
 */
function authorizer({ config, store: { db }, realClock, provisioning }: ControlledParts) {
  const role = roleName('Admin')
  return async (request: FastifyRequest): Promise<void> => {
    const { authorization } = request.headers
    if (authorization === undefined) {
      throw new DomainError(
        'unauthenticated',
        `These routes are for administrators: show an access token with the role ${role}, or the id and secret of such ` +
          'a client of the built-in issuer (Basic; in an emulator linebook-admin and linebook-standin).',
      )
    }
    if (!/^basic(\s|$)/i.test(authorization)) {
      await showWho(provisioning.deps, request, 'Admin')
      return
    }
    if (!config.builtInIssuer) {
      throw new DomainError('unauthenticated', 'The built-in issuer is off, so there are no clients with a secret.')
    }
    const { client } = await authenticateClient(
      { db, clock: realClock, acceptEmulatorSecret: true },
      { authorization, form: new Map(), ownNames: [] },
    ).catch((error: unknown) => {
      if (!(error instanceof IssuerError)) throw error
      throw new DomainError('unauthenticated', error.message, { cause: error })
    })
    if (client.roles.includes(role)) return
    throw new DomainError(
      'role-missing',
      `This needs the role ${role}; ${client.clientId} has ${client.roles.join(', ')}.`,
    )
  }
}
