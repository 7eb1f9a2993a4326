/**
 * Every setting of the program, one entry each: its names, its valid values and its default. The parser (`config.ts`),
 * `--help` and `.env.example` are made from this table.
 */
import { isIP } from 'node:net'
import { fileURLToPath } from 'node:url'
import { logLevels } from '../log.js'
import { connectionSettings } from './connections.js'
import { phoneNumbersSettings } from './phone-numbers.js'
import { provisioningSettings } from './provisioning.js'
import {
  amount,
  BadValue,
  DAY_MS,
  digits,
  hosts,
  list,
  MINUTE_MS,
  modes,
  oneOf,
  onOff,
  optionalText,
  plainName,
  port,
  setting,
  type Setting,
} from './setting.js'

export const apis = ['phone-numbers', 'provisioning'] as const
export type Api = (typeof apis)[number]

const MAX_DELAY_MS = 10 * MINUTE_MS
const SECRET_KEY_BYTES = 32

const secretKeys = (text: string): Buffer[] =>
  list(text).map((item) => {
    const key = Buffer.from(item, 'base64')
    if (key.length !== SECRET_KEY_BYTES) {
      throw new BadValue('32 random bytes in base64, e.g. from: openssl rand -base64 32')
    }
    return key
  })

const delayMs = <const Kind extends string>(kind: Kind) =>
  setting({
    name: `${kind}DelayMs`,
    env: `LINEBOOK_${kind.toUpperCase()}_DELAY_MS`,
    flag: `${kind}-delay-ms`,
    value: 'MS',
    help: `how long a ${kind} operation takes, to let clients meet every status; 0 finishes it at once`,
    fallback: '0',
    parse: amount(0, MAX_DELAY_MS),
  })

const table = [
  setting({
    name: 'mode',
    env: 'LINEBOOK_MODE',
    flag: 'mode',
    value: 'MODE',
    help: "emulator: a developer's emulator with well-known credentials and fictional numbers. production: nothing is well known, nothing is seeded",
    fallback: 'emulator',
    parse: oneOf(...modes),
  }),
  setting({
    name: 'host',
    env: 'LINEBOOK_HOST',
    flag: 'host',
    value: 'ADDRESS',
    help: 'address to listen on; 0.0.0.0 or :: for all',
    fallback: '127.0.0.1',
    parse: (text) => {
      if (text !== 'localhost' && isIP(text) === 0) throw new BadValue('an IP address or localhost, e.g. 127.0.0.1')
      return text
    },
  }),
  setting({
    name: 'httpPort',
    env: 'LINEBOOK_HTTP_PORT',
    flag: 'http-port',
    value: 'PORT',
    help: 'port for plain HTTP; 0 for any free one, empty for none',
    fallback: '8080',
    parse: port,
  }),
  setting({
    name: 'httpsPort',
    env: 'LINEBOOK_HTTPS_PORT',
    flag: 'https-port',
    value: 'PORT',
    help: 'port for HTTPS; 0 for any free one, empty for none',
    fallback: '8443',
    parse: port,
  }),
  setting({
    name: 'tlsCertFile',
    env: 'LINEBOOK_TLS_CERT_FILE',
    flag: 'tls-cert-file',
    value: 'FILE',
    help: 'certificate chain in PEM; in emulator mode a self-signed one is made when this is empty',
    fallback: '',
    parse: optionalText,
  }),
  setting({
    name: 'tlsKeyFile',
    env: 'LINEBOOK_TLS_KEY_FILE',
    flag: 'tls-key-file',
    value: 'FILE',
    help: 'private key of that certificate in PEM',
    fallback: '',
    parse: optionalText,
  }),
  setting({
    name: 'publicHosts',
    env: 'LINEBOOK_PUBLIC_HOSTS',
    flag: 'public-hosts',
    value: 'HOSTS',
    help: 'host names that clients use, for a reverse proxy that rewrites the Host header; separated by commas',
    fallback: '',
    parse: hosts,
  }),
  setting({
    name: 'apis',
    env: 'LINEBOOK_APIS',
    flag: 'apis',
    value: 'APIS',
    help: 'APIs to serve: phone-numbers, provisioning, or both separated by a comma',
    fallback: apis.join(','),
    parse: (text) => {
      const wanted = list(text)
      const chosen = apis.filter((api) => wanted.includes(api))
      if (chosen.length === 0 || chosen.length !== new Set(wanted).size) {
        throw new BadValue(`one or both of ${apis.join(', ')}`)
      }
      return chosen
    },
  }),
  setting({
    name: 'phoneNumbersHosts',
    env: 'LINEBOOK_PHONE_NUMBERS_HOSTS',
    flag: 'phone-numbers-hosts',
    value: 'HOSTS',
    help: 'host names that the Phone Numbers API answers to, separated by commas; empty for all',
    fallback: '',
    parse: hosts,
  }),
  setting({
    name: 'operatorHosts',
    env: 'LINEBOOK_OPERATOR_HOSTS',
    flag: 'operator-hosts',
    value: 'HOSTS',
    help: 'host names that the Operator API answers to, separated by commas; empty for all',
    fallback: '',
    parse: hosts,
  }),
  setting({
    name: 'dataDir',
    env: 'LINEBOOK_DATA_DIR',
    flag: 'data-dir',
    value: 'FOLDER',
    help: 'folder of the embedded database and of the emulator certificate',
    fallback: '.linebook',
    parse: (text) => {
      if (text === '') throw new BadValue('a folder, e.g. .linebook')
      return text
    },
  }),
  setting({
    name: 'inMemory',
    env: 'LINEBOOK_IN_MEMORY',
    flag: 'in-memory',
    help: 'keep the embedded database in memory: everything is gone at the end',
    fallback: 'off',
    parse: onOff,
  }),
  setting({
    name: 'spoolFolder',
    env: 'LINEBOOK_SPOOL_DIR',
    flag: 'spool-dir',
    value: 'FOLDER',
    help: 'where the files of imports wait until they are done',
    fallback: '',
    fallbackHelp: "spool in the data folder; in memory and with PostgreSQL a folder of the system's temporary one",
    parse: optionalText,
  }),
  setting({
    name: 'seedStock',
    env: 'LINEBOOK_SEED_STOCK',
    flag: 'seed-stock',
    value: 'on|off',
    help: 'fill a new emulator database with fictional numbers',
    fallback: (mode) => (mode === 'emulator' ? 'on' : 'off'),
    fallbackHelp: 'on in emulator mode',
    parse: onOff,
  }),
  setting({
    name: 'databaseUrl',
    env: 'DATABASE_URL',
    flag: 'database-url',
    value: 'URL',
    help: 'PostgreSQL 15 or later, e.g. postgres://linebook:secret@db:5432/linebook; empty for the embedded database',
    secret: true,
    fallback: '',
    parse: (text) => {
      if (text !== '' && !/^postgres(ql)?:\/\//.test(text)) {
        throw new BadValue('a connection string, e.g. postgres://linebook:secret@db:5432/linebook')
      }
      return optionalText(text)
    },
  }),
  setting({
    name: 'databasePoolSize',
    env: 'LINEBOOK_DATABASE_POOL_SIZE',
    flag: 'database-pool-size',
    value: 'COUNT',
    help: 'the most connections to PostgreSQL that one process opens',
    fallback: '16',
    parse: amount(2, 500),
  }),
  setting({
    name: 'secretKeys',
    env: 'LINEBOOK_SECRET_KEY',
    flag: 'secret-key',
    value: 'KEY',
    help: 'key under which access keys are encrypted in the database: 32 random bytes in base64. To change it, put the new one in front of the old one, separated by a comma',
    secret: true,
    fallback: '',
    parse: secretKeys,
  }),
  setting({
    name: 'logLevel',
    env: 'LINEBOOK_LOG_LEVEL',
    flag: 'log-level',
    value: 'LEVEL',
    help: logLevels.join(', '),
    fallback: (mode) => (mode === 'emulator' ? 'warn' : 'info'),
    fallbackHelp: 'warn in emulator mode, info in production',
    parse: oneOf(...logLevels),
  }),
  setting({
    name: 'tolerantApiVersions',
    env: 'LINEBOOK_TOLERANT_API_VERSIONS',
    flag: 'tolerant-api-versions',
    value: 'on|off',
    help: 'serve an api-version later than the newest known one as the newest, with a Warning header',
    fallback: (mode) => (mode === 'emulator' ? 'on' : 'off'),
    fallbackHelp: 'on in emulator mode',
    parse: onOff,
  }),
  setting({
    name: 'catalogueFile',
    env: 'LINEBOOK_CATALOGUE_FILE',
    flag: 'catalogue-file',
    value: 'FILE',
    help: 'countries, offerings and prices; see data/README.md',
    fallback: fileURLToPath(new URL('../../data/catalogue.json', import.meta.url)),
    fallbackHelp: 'the one that comes with Linebook',
    parse: (text) => text,
  }),
  setting({
    name: 'quarantineMs',
    env: 'LINEBOOK_QUARANTINE_DAYS',
    flag: 'quarantine-days',
    value: 'DAYS',
    help: 'how long a released number rests before it can be sold again; fractions are fine',
    fallback: (mode) => (mode === 'emulator' ? '0' : '30'),
    fallbackHelp: '0 in emulator mode, 30 in production',
    parse: amount(0, 3650, { whole: false, unit: DAY_MS }),
  }),
  setting({
    name: 'searchHoldMs',
    env: 'LINEBOOK_SEARCH_HOLD_MINUTES',
    flag: 'search-hold-minutes',
    value: 'MINUTES',
    help: 'how long a search holds the numbers it found',
    fallback: '15',
    parse: amount(0.01, 1440, { whole: false, unit: MINUTE_MS }),
  }),
  setting({
    name: 'maxSearchQuantity',
    env: 'LINEBOOK_MAX_SEARCH_QUANTITY',
    flag: 'max-search-quantity',
    value: 'COUNT',
    help: 'the most numbers that one search may request',
    fallback: '100',
    parse: amount(1, 1000),
  }),
  setting({
    name: 'reservationHoldMs',
    env: 'LINEBOOK_RESERVATION_HOLD_MINUTES',
    flag: 'reservation-hold-minutes',
    value: 'MINUTES',
    help: 'how long a reservation holds its numbers after it was last changed',
    fallback: '15',
    parse: amount(0.01, 1440, { whole: false, unit: MINUTE_MS }),
  }),
  setting({
    name: 'reservationMaxMs',
    env: 'LINEBOOK_RESERVATION_MAX_MINUTES',
    flag: 'reservation-max-minutes',
    value: 'MINUTES',
    help: 'how long a reservation may live, however often it is changed',
    fallback: '120',
    parse: amount(0.01, 1440, { whole: false, unit: MINUTE_MS }),
  }),
  setting({
    name: 'maxReservationNumbers',
    env: 'LINEBOOK_MAX_RESERVATION_NUMBERS',
    flag: 'max-reservation-numbers',
    value: 'COUNT',
    help: 'the most numbers in one reservation',
    fallback: '100',
    parse: amount(1, 1000),
  }),
  setting({
    name: 'clockSkewMs',
    env: 'LINEBOOK_CLOCK_SKEW_MINUTES',
    flag: 'clock-skew-minutes',
    value: 'MINUTES',
    help: "how far a signed request's date may be from the server's clock",
    fallback: '15',
    parse: amount(0.1, 1440, { whole: false, unit: MINUTE_MS }),
  }),
  delayMs('search'),
  delayMs('purchase'),
  delayMs('release'),
  delayMs('capabilities'),
  setting({
    name: 'operatorName',
    env: 'LINEBOOK_OPERATOR_NAME',
    flag: 'operator-name',
    value: 'NAME',
    help: 'your name, which operator lookups return for the numbers of this Linebook; empty for unknown',
    fallback: (mode) => (mode === 'emulator' ? 'Linebook' : ''),
    fallbackHelp: 'Linebook in emulator mode',
    parse: plainName,
  }),
  setting({
    name: 'operatorMcc',
    env: 'LINEBOOK_OPERATOR_MCC',
    flag: 'operator-mcc',
    value: 'MCC',
    help: 'mobile country code of your network, given beside the name for mobile numbers; empty for none',
    fallback: '',
    parse: digits(3, 3, '234'),
  }),
  setting({
    name: 'operatorMnc',
    env: 'LINEBOOK_OPERATOR_MNC',
    flag: 'operator-mnc',
    value: 'MNC',
    help: 'mobile network code of your network; it comes with LINEBOOK_OPERATOR_MCC',
    fallback: '',
    parse: digits(2, 3, '15'),
  }),
  ...connectionSettings,
  ...phoneNumbersSettings,
  ...provisioningSettings,
]

export const settings: readonly Setting<keyof Config>[] = table

type Entry = (typeof table)[number]

/** The values of the settings, by their names in the table. */
export type Config = { readonly [S in Entry as S['name']]: ReturnType<S['parse']> }
