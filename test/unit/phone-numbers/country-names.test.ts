import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config/config.js'
import { countriesIn, firstKnownLanguage } from '../../../src/phone-numbers/commands/browse-catalogue.js'
import { readCatalogue } from '../../../src/phone-numbers/model/catalogue.js'

describe('the language of an Accept-Language header', () => {
  it.each([
    ['nothing', undefined, 'en-US'],
    ['an empty text', '', 'en-US'],
    ['one language', 'tr', 'tr'],
    ['a language of a region', 'zh-CN', 'zh-CN'],
    ['a region that nobody knows: the language', 'de-XX', 'de-XX'],
    ['several: the first of those with the most weight', 'de, fr', 'de'],
    ['weights: the heaviest', 'fr;q=0.1, de;q=0.9, tr;q=0.5', 'de'],
    ['a weight against none: none means 1', 'fr;q=0.9, de', 'de'],
    ['a weight of 0: not that one', 'de;q=0, tr;q=0.1', 'tr'],
    ['a language without names: the next', 'tlh, pt-BR;q=0.3', 'pt-BR'],
    ['only languages without names', 'tlh, art-x-whatever', 'en-US'],
    ['any language', '*', 'en-US'],
    ['any language rather than one', '*, de;q=0.5', 'en-US'],
    ['one language rather than any', 'de, *;q=0.5', 'de'],
    ['letters of any case and blanks', ' DE-de ; q=0.800 ,\ttr;Q=0.2', 'de-DE'],
    ['a weight that is none: not that one', 'de;q=2, tr;q=0.1', 'tr'],
    ['what is no language', 'de_DE, ;;;, q=1, \u0000, tr;q=0.1', 'tr'],
    ['a tag that the runtime refuses', 'i-klingon, tr;q=0.1', 'tr'],
    ['more than anybody speaks: the first ten count', `${'tlh,'.repeat(10)}de`, 'en-US'],
  ])('%s', (_, header, language) => {
    expect(firstKnownLanguage(header)).toBe(language)
  })
})

describe('the names of countries', async () => {
  const catalogue = await readCatalogue(readConfig({}).catalogueFile)
  const namesIn = (language: string) => countriesIn({ catalogue }, language).map(({ localizedName }) => localizedName)

  it.each([
    ['en-US', 'Germany', 'United States'],
    ['tr', 'Almanya', 'Amerika Birleşik Devletleri'],
    ['de', 'Deutschland', 'Vereinigte Staaten'],
    ['zh-CN', '德国', '美国'],
    ['zh-TW', '德國', '美國'],
  ])('are in %s when that is asked for', (language, germany, unitedStates) => {
    const countries = countriesIn({ catalogue }, language)
    expect(countries).toHaveLength(42)
    expect(countries).toContainEqual({ countryCode: 'DE', localizedName: germany })
    expect(countries).toContainEqual({ countryCode: 'US', localizedName: unitedStates })
  })

  it('stand in the order of their language', () => {
    const swedish = namesIn('sv')
    expect(swedish.at(-1)).toBe('Österrike')
    const german = namesIn('de')
    expect(german.indexOf('Österreich')).toBeLessThan(german.indexOf('Philippinen'))
    const turkish = namesIn('tr')
    expect(turkish.indexOf('Çin')).toBe(turkish.indexOf('Brezilya') + 1)
    expect(turkish.indexOf('Çin')).toBeLessThan(turkish.indexOf('Danimarka'))
    expect(namesIn('zh-CN')[0]).toBe('阿根廷')
  })
})
