import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { ProgressBar } from '../../src/cli/text/progress.js'

const aBar = (isTTY: boolean) => {
  const out = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY })
  return { bar: new ProgressBar(out), written: () => (out.read() as string | null) ?? '' }
}

it('a terminal shows how far things are, and lines go above of it', () => {
  const { bar, written } = aBar(true)
  bar.update(25, 100)
  expect(written()).toBe(`\r[${'#'.repeat(10)}${'-'.repeat(30)}]  25 %`)
  bar.line('line 7: bad')
  expect(written()).toBe(`\r\x1b[2Kline 7: bad\n[${'#'.repeat(10)}${'-'.repeat(30)}]  25 %`)
  bar.end()
  expect(written()).toBe('\r\x1b[2K')
})

it('a file or a pipe gets the lines alone', () => {
  const { bar, written } = aBar(false)
  bar.update(25, 100)
  bar.line('line 7: bad')
  bar.end()
  expect(written()).toBe('line 7: bad\n')
})

it('what has no size shows no bar', () => {
  const { bar, written } = aBar(true)
  bar.update(25, 0)
  bar.end()
  expect(written()).toBe('')
})
