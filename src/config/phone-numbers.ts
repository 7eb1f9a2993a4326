/** The settings of the Phone Numbers API: tokens, rates, cross-origin pages, wallets and hooks. */
import { parseOrigins } from '../phone-numbers/cors.js'
import { parseThrottle } from '../phone-numbers/throttle.js'
import { amount, asParsed, atLeastOne, BadValue, MINUTE_MS, onOff, optionalText, setting } from './setting.js'

const hookUrl = (text: string): string | undefined => {
  if (text === '') return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && !url.hash) return url.href
  throw new BadValue('the URL of an HTTP server without user and password, e.g. https://billing.example/linebook')
}

/** The audience that the SDKs request, `https://communication.azure.com//.default`, with and without the last slash. */
const DOCUMENTED_AUDIENCES = ['https://communication.azure.com/', 'https://communication.azure.com']

export const phoneNumbersSettings = [
  setting({
    name: 'phoneNumbersAudiences',
    env: 'LINEBOOK_PHONE_NUMBERS_AUDIENCES',
    flag: 'phone-numbers-audiences',
    value: 'AUDIENCES',
    help: 'audiences that an access token of the Phone Numbers API may be for, separated by commas',
    fallback: DOCUMENTED_AUDIENCES.join(','),
    parse: atLeastOne('audiences', DOCUMENTED_AUDIENCES),
  }),
  setting({
    name: 'throttle',
    env: 'LINEBOOK_THROTTLE',
    flag: 'throttle',
    value: 'RATES',
    help: 'requests per number of seconds that one process allows each resource, by operation of the Phone Numbers API, * for each of the others, e.g. search=5/604800,purchase=1/10,*=100/1; empty for no limits',
    fallback: '',
    parse: asParsed(parseThrottle),
  }),
  setting({
    name: 'corsOrigins',
    env: 'LINEBOOK_CORS_ORIGINS',
    flag: 'cors-origins',
    value: 'ORIGINS',
    help: 'origins whose pages in a browser may call the Phone Numbers API, e.g. https://portal.example; separated by commas, * for all, empty for none',
    fallback: '',
    parse: asParsed(parseOrigins),
  }),
  setting({
    name: 'walletRequired',
    env: 'LINEBOOK_WALLET_REQUIRED',
    flag: 'wallet-required',
    value: 'on|off',
    help: 'refuse purchases by resources that have no wallet; otherwise they buy without being charged',
    fallback: 'off',
    parse: onOff,
  }),
  setting({
    name: 'billingHookUrl',
    env: 'LINEBOOK_BILLING_HOOK_URL',
    flag: 'billing-hook-url',
    value: 'URL',
    help: 'system that approves each purchase; see docs/hooks.md',
    secret: true,
    fallback: '',
    parse: hookUrl,
  }),
  setting({
    name: 'fulfilmentHookUrl',
    env: 'LINEBOOK_FULFILMENT_HOOK_URL',
    flag: 'fulfilment-hook-url',
    value: 'URL',
    help: 'system that carries each purchase out in the network before it ends; see docs/hooks.md',
    secret: true,
    fallback: '',
    parse: hookUrl,
  }),
  setting({
    name: 'hookSecret',
    env: 'LINEBOOK_HOOK_SECRET',
    flag: 'hook-secret',
    value: 'SECRET',
    help: 'bearer token that Linebook sends to both of these systems',
    secret: true,
    fallback: '',
    parse: (text) => {
      if (!/^[\x21-\x7e]*$/.test(text)) throw new BadValue('letters, digits and signs without spaces')
      return optionalText(text)
    },
  }),
  setting({
    name: 'hookTimeoutMs',
    env: 'LINEBOOK_HOOK_TIMEOUT_MS',
    flag: 'hook-timeout-ms',
    value: 'MS',
    help: 'how long one call of such a system may take',
    fallback: '10000',
    parse: amount(50, 120_000),
  }),
  setting({
    name: 'hookGiveUpMs',
    env: 'LINEBOOK_HOOK_GIVE_UP_MINUTES',
    flag: 'hook-give-up-minutes',
    value: 'MINUTES',
    help: 'how long a purchase keeps calling a system that does not answer, before it fails',
    fallback: '5',
    parse: amount(0.01, 1440, { whole: false, unit: MINUTE_MS }),
  }),
]
