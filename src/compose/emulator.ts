/** The part of the composition root for emulators only: the test controls, and the control of simulated backends. */
import { roleName } from '../auth/tokens/roles.js'
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
import { authenticateRequest } from '../provisioning/admit.js'
import { isProvisioningPath } from '../provisioning/api.js'
import { operations as operations2024 } from '../provisioning/contract/operations.js'
import { operations as operations2023 } from '../provisioning/facade-2023/operations.js'
import type { Task } from '../workers/worker.js'
import { fillEmulator, type Store } from './store.js'
import type { ControlledParts, CreateTestControls } from './test-controls.js'

/** How soon a process sees settings that were changed through another one. */
const SETTINGS_INTERVAL_MS = 1_000

export const createEmulator: CreateTestControls = (store) => {
  const { db, logger, clock: realClock } = store
  const controls = createTestControls({ db, logger, realClock, operations: routedOperations })
  const { clock, scripts, settings } = controls
  return {
    clock,
    coursesOver: (usual) => scripts.coursesOver(usual),
    tasks: settingsTasks(controls, store),
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

/** An embedded database has one process, so nothing has to be read again. */
const settingsTasks = ({ settings }: TestControls, { db }: Store): Task[] => {
  const task: Task = {
    name: 'emulator-settings',
    intervalMs: SETTINGS_INTERVAL_MS,
    runOnce: async () => {
      await settings.load()
      return { claimed: 0, done: 0, failed: 0, skipped: 0, more: false }
    },
  }
  return db.engine === 'pglite' ? [] : [task]
}

function openEmulator(server: FastifyInstance, controls: TestControls, parts: ControlledParts): void {
  const { config, store, realClock, deps, directory, throttle, provisioning, nudgeAll } = parts
  const { db, sealer, logger } = store
  const authorize = authorizer(parts)
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
      // A cache entry would stay valid for ever when the clock goes back.
      provisioning.deps.announced.forget()
      const { claimed: operations } = await parts.operations.carryOut()
      const { claimed: swept } = await parts.sweeper.carryOut()
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
      await authenticateRequest(provisioning.deps, request, 'Admin')
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
