/** The installation itself: what it is, and its settings. */
import Type from 'typebox'
import { Instant, nullable, operation } from './operation.js'

export const Info = Type.Object({
  version: Type.String(),
  mode: Type.String(),
  apis: Type.Array(Type.String(), { description: 'The published APIs that are served' }),
  engine: Type.String({ description: 'pglite or postgres' }),
  time: Instant,
  clockOffsetMs: Type.Integer({ description: 'How far the clock of an emulator was moved; 0 elsewhere' }),
  services: Type.Array(Type.Object({ service: Type.String(), backend: Type.String() })),
  limits: Type.Object({
    page: Type.Integer(),
    examined: Type.Integer(),
    searchQuantity: Type.Integer(),
    reservationNumbers: Type.Integer(),
    bodyBytes: Type.Integer(),
  }),
})

export const Setting = Type.Object({
  name: Type.String({ description: 'The environment variable' }),
  flag: Type.String(),
  value: nullable(Type.String({ description: 'In the form in which it is set; null for a secret' })),
  isSet: Type.Boolean(),
  source: Type.String({ description: 'flag, environment or default' }),
  secret: Type.Boolean(),
  help: Type.String(),
})

export const getInfo = operation({
  operationId: 'Info_Get',
  summary: 'Version, mode, APIs served, engine, limits, and the time that this Linebook lives by',
  method: 'GET',
  path: '/info',
  role: 'Read',
  success: { status: 200, description: 'What this Linebook is', body: Info },
})

export const listSettings = operation({
  operationId: 'Settings_List',
  summary: 'Every setting, its value, and where that came from; secrets as set or not set',
  method: 'GET',
  path: '/settings',
  role: 'Admin',
  success: {
    status: 200,
    description: 'The settings',
    body: Type.Object({ items: Type.Array(Setting), next: Type.Null() }),
  },
})
