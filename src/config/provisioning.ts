/** The settings of the Provisioning API. */
import { parseIssuers } from '../auth/tokens/issuers.js'
import { parseBackends } from '../backends/configure.js'
import { parseAddresses } from '../http/addresses.js'
import { parseRate } from '../http/rate-limit.js'
import { amount, asParsed, atLeastOne, BadValue, hosts, MINUTE_MS, oneOf, onOff, setting } from './setting.js'

const HOUR_MS = 60 * MINUTE_MS

/** The resource of the documented scope, and the application id of the original's enterprise application. */
const DOCUMENTED_AUDIENCES = [
  'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net',
  '8502a0ec-c76d-412f-836c-398018e2312b',
]

export const provisioningSettings = [
  setting({
    name: 'provisioningHosts',
    env: 'LINEBOOK_PROVISIONING_HOSTS',
    flag: 'provisioning-hosts',
    value: 'HOSTS',
    help: 'host names that the Provisioning API answers to, e.g. provapi.voice.example; separated by commas, empty for all',
    fallback: '',
    parse: hosts,
  }),
  setting({
    name: 'provisioningUrl',
    env: 'LINEBOOK_PROVISIONING_URL',
    flag: 'provisioning-url',
    value: 'URL',
    help: 'origin under which clients reach the Provisioning API, for links to next pages and token issuing, e.g. https://provapi.voice.example; empty: taken from each request',
    fallback: '',
    parse: (text) => {
      if (text === '') return undefined
      if (!/^https?:\/\/[^/?#\s]+\/?$/i.test(text) || !URL.canParse(text)) {
        throw new BadValue('an origin without a path, e.g. https://provapi.voice.example')
      }
      return text.replace(/\/$/, '')
    },
  }),
  setting({
    name: 'tokenIssuers',
    env: 'LINEBOOK_TOKEN_ISSUERS',
    flag: 'token-issuers',
    value: 'ISSUERS',
    help: 'issuers whose access tokens are accepted, as tokens name them in iss, e.g. https://login.microsoftonline.com/<tenant>/v2.0; separated by commas, each with |<address of its keys> where it has no discovery document',
    fallback: '',
    parse: asParsed(parseIssuers),
  }),
  setting({
    name: 'tokenAudiences',
    env: 'LINEBOOK_TOKEN_AUDIENCES',
    flag: 'token-audiences',
    value: 'AUDIENCES',
    help: 'audiences that an access token of the Provisioning API may be for, separated by commas',
    fallback: DOCUMENTED_AUDIENCES.join(','),
    parse: atLeastOne('audiences', DOCUMENTED_AUDIENCES),
  }),
  setting({
    name: 'builtInIssuer',
    env: 'LINEBOOK_BUILT_IN_ISSUER',
    flag: 'built-in-issuer',
    value: 'on|off',
    help: 'issue access tokens to clients made with "linebook client create", for those without an identity provider',
    fallback: (mode) => (mode === 'emulator' ? 'on' : 'off'),
    fallbackHelp: 'on in emulator mode',
    parse: onOff,
  }),
  setting({
    name: 'issuerTenant',
    env: 'LINEBOOK_ISSUER_TENANT',
    flag: 'issuer-tenant',
    value: 'TENANT',
    help: 'tenant that the built-in issuer issues tokens for; part of its addresses',
    fallback: 'linebook',
    parse: (text) => {
      if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/.test(text)) throw new BadValue('a name or GUID, e.g. linebook')
      return text
    },
  }),
  setting({
    name: 'allowedAddresses',
    env: 'LINEBOOK_ALLOWED_ADDRESSES',
    flag: 'allowed-addresses',
    value: 'ADDRESSES',
    help: 'client addresses and ranges that may reach the Provisioning API, e.g. 203.0.113.7,198.51.100.0/24; separated by commas, none when empty',
    fallback: (mode) => (mode === 'emulator' ? '127.0.0.0/8,::1' : ''),
    fallbackHelp: 'this machine in emulator mode, none in production',
    parse: asParsed(parseAddresses),
  }),
  setting({
    name: 'trustedProxies',
    env: 'LINEBOOK_TRUSTED_PROXIES',
    flag: 'trusted-proxies',
    value: 'ADDRESSES',
    help: 'addresses and ranges of proxies whose X-Forwarded-For is trusted',
    fallback: '',
    parse: asParsed(parseAddresses),
  }),
  setting({
    name: 'rateLimit',
    env: 'LINEBOOK_RATE_LIMIT',
    flag: 'rate-limit',
    value: 'RATE',
    help: 'requests that one process allows each client of the Provisioning API, e.g. 100/second, 100/minute (as the original), or off',
    fallback: (mode) => (mode === 'emulator' ? 'off' : '100/second'),
    fallbackHelp: 'off in emulator mode, 100/second in production',
    parse: asParsed(parseRate),
  }),
  setting({
    name: 'backends',
    env: 'LINEBOOK_BACKENDS',
    flag: 'backends',
    value: 'JSON|FILE',
    help: 'the backend of each service, as JSON or the name of a file with it: "simulated" (emulator mode), "none", or {"url": …}; see docs/backend-protocol.md',
    secret: true,
    fallback: '',
    fallbackHelp: 'Operator Connect and Teams Phone Mobile simulated in emulator mode, otherwise none',
    parse: parseBackends,
  }),
  setting({
    name: 'baseDomain',
    env: 'LINEBOOK_BASE_DOMAIN',
    flag: 'base-domain',
    value: 'DOMAIN',
    help: "domain under which Direct Routing's customer subdomains are",
    fallback: 'linebook.example',
    parse: (text) => {
      if (!/^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?$/i.test(text)) throw new BadValue('a domain name, e.g. voice.example')
      return text.toLowerCase()
    },
  }),
  setting({
    name: 'dnsRegions',
    env: 'LINEBOOK_DNS_REGIONS',
    flag: 'dns-regions',
    value: 'COUNT',
    help: 'regions that have records: 2, or 1 for a lab',
    fallback: '2',
    parse: (text) => (oneOf('1', '2')(text) === '1' ? 1 : 2),
  }),
  setting({
    name: 'dnsRegionPattern',
    env: 'LINEBOOK_DNS_REGION_PATTERN',
    flag: 'dns-region-pattern',
    value: 'PATTERN',
    help: 'name of a region in front of the base domain; <n> stands for its number',
    fallback: '1r<n>',
    parse: (text) => {
      if (!/^[a-z0-9-]*<n>[a-z0-9-]*$/i.test(text)) throw new BadValue('letters, digits and <n>, e.g. 1r<n> or 1-r<n>')
      return text.toLowerCase()
    },
  }),
  setting({
    name: 'enforceDomainLength',
    env: 'LINEBOOK_ENFORCE_DOMAIN_LENGTH',
    flag: 'enforce-domain-length',
    value: 'on|off',
    help: 'refuse subdomains whose full name is longer than the 48 characters that Entra ID accepts',
    fallback: 'off',
    parse: onOff,
  }),
  setting({
    name: 'exclusiveNumberServices',
    env: 'LINEBOOK_EXCLUSIVE_NUMBER_SERVICES',
    flag: 'exclusive-number-services',
    value: 'on|off',
    help: 'refuse numbers that have more than one of Operator Connect, Teams Phone Mobile, Direct Routing and Zoom on',
    fallback: 'on',
    parse: onOff,
  }),
  setting({
    name: 'rejectUnsupportedSipHeader',
    env: 'LINEBOOK_REJECT_UNSUPPORTED_SIP_HEADER',
    flag: 'reject-unsupported-sip-header',
    value: 'on|off',
    help: 'refuse a custom SIP header on numbers none of whose services can carry one; off: store it',
    fallback: 'on',
    parse: onOff,
  }),
  setting({
    name: 'tolerateTrailingCommas',
    env: 'LINEBOOK_TOLERATE_TRAILING_COMMAS',
    flag: 'tolerate-trailing-commas',
    value: 'on|off',
    help: 'accept JSON with a comma after the last member, as in the documented samples',
    fallback: 'on',
    parse: onOff,
  }),
  setting({
    name: 'initialAssignmentStatus',
    env: 'LINEBOOK_INITIAL_ASSIGNMENT_STATUS',
    flag: 'initial-assignment-status',
    value: 'STATUS',
    help: 'assignment status shown for a synced number before its backend has reported one: assigned or unassigned',
    fallback: 'assigned',
    parse: oneOf('assigned', 'unassigned'),
  }),
  setting({
    name: 'repeatabilityWindowMs',
    env: 'LINEBOOK_REPEATABILITY_WINDOW_MINUTES',
    flag: 'repeatability-window-minutes',
    value: 'MINUTES',
    help: 'how long a repeatable request may be repeated',
    fallback: '10',
    parse: amount(5, 1440, { whole: false, unit: MINUTE_MS }),
  }),
  setting({
    name: 'verifyIntervalMs',
    env: 'LINEBOOK_VERIFY_INTERVAL_HOURS',
    flag: 'verify-interval-hours',
    value: 'HOURS',
    help: 'how often each synced number is verified at its backend, to find silent changes there',
    fallback: '24',
    parse: amount(0.01, 8760, { whole: false, unit: HOUR_MS }),
  }),
]
