/** Makes the chosen backends. Choosing is separate, because every command reads the settings and few need backends. */
import type { Clock } from '../clock.js'
import type { BackendChoice } from './configure.js'
import { createHttpBackend } from './http/http.js'
import { serviceCodes, type Backends } from './port/backend.js'
import type { Documents } from './simulated/documents.js'
import { readSeed } from './simulated/seed.js'
import { createSimulatedBackend, type SimulatedOptions } from './simulated/simulated.js'

/** The dependencies of backends. */
export interface BackendDeps extends Pick<SimulatedOptions, 'operatorId' | 'settings' | 'wait'> {
  clock: Clock
  /** Where simulated backends keep their state. */
  documents: Documents
  fetch?: typeof fetch
}

export function createBackends(
  choice: BackendChoice,
  { clock, fetch, documents, ...simulated }: BackendDeps,
): Backends {
  const seed = serviceCodes.some((service) => choice[service] === 'simulated') ? readSeed() : undefined
  const made = serviceCodes.flatMap((service) => {
    const chosen = choice[service]
    if (chosen === 'none') return []
    const backend =
      chosen !== 'simulated'
        ? createHttpBackend({ service, clock, ...chosen, ...(fetch && { fetch }) })
        : createSimulatedBackend({ service, documents, clock, seed: seed ?? readSeed(), ...simulated })
    return [[service, backend] as const]
  })
  return Object.fromEntries(made)
}
