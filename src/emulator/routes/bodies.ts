/** The schemas of the bodies of `/_emulator/backends`. */
import Type, { type TSchema } from 'typebox'
import { CapabilityPlan, CivicAddress, Consent } from '../../backends/http/contract.js'
import { driftEffects } from '../../backends/simulated/control.js'
import { commandMethods, readMethods, type MisbehaviourName } from '../../backends/simulated/misbehaviour.js'

const strictly = { additionalProperties: false }
const MAX_KEYS = 10_000
const DAY_MS = 24 * 60 * 60 * 1_000

const Milliseconds = Type.Integer({ minimum: 0, maximum: DAY_MS })
const Text = Type.String({ maxLength: 4_096 })
const Code = Type.String({ minLength: 1, maxLength: 256 })
const limits = {
  methods: Type.Optional(Type.Array(Type.Enum([...commandMethods, ...readMethods]), { minItems: 1, maxItems: 20 })),
  keys: Type.Optional(Type.Array(Text, { minItems: 1, maxItems: MAX_KEYS })),
  times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
}
const misbehaviour = <Part extends Record<string, TSchema>>(part: Part) => Type.Object({ ...part, ...limits }, strictly)

export const misbehaviourBodies = {
  latency: misbehaviour({ ms: Milliseconds }),
  refuse: misbehaviour({ code: Code, message: Text, target: Type.Optional(Text) }),
  'timeout-after-success': misbehaviour({}),
  'timeout-before': misbehaviour({}),
  throttle: misbehaviour({ afterMs: Milliseconds }),
  unavailable: misbehaviour({ afterMs: Type.Optional(Milliseconds) }),
  'wrong-order': misbehaviour({}),
  job: misbehaviour({ polls: Type.Integer({ minimum: 1, maximum: 1_000 }), afterMs: Type.Optional(Milliseconds) }),
  partial: misbehaviour({ afterMs: Type.Optional(Milliseconds) }),
} satisfies Record<MisbehaviourName, TSchema>

export const Settings = Type.Object(
  { strict: Type.Optional(Type.Boolean()), assignOnUpload: Type.Optional(Type.Boolean()) },
  strictly,
)

export const Drift = Type.Object(
  {
    effect: Type.Enum([...driftEffects]),
    telephoneNumbers: Type.Optional(Type.Array(Text, { minItems: 1, maxItems: MAX_KEYS })),
  },
  strictly,
)

/** The tenant is in the path. */
export const ConsentToPut = Type.Omit(Consent, ['tenantId'])
export const CivicAddresses = Type.Object({ civicAddresses: Type.Array(CivicAddress, { maxItems: 1_000 }) }, strictly)
export const CapabilityPlans = Type.Object(
  { capabilityPlans: Type.Array(CapabilityPlan, { maxItems: 1_000 }) },
  strictly,
)
