import type { Command } from 'commander'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { numberCommand } from '../../src/cli/commands/number.js'
import { requeueCommand } from '../../src/cli/commands/requeue.js'
import { statusCommand } from '../../src/cli/commands/status.js'
import { systemClock } from '../../src/clock.js'
import { anOperator, type Operator } from '../behaviour/provisioning/an-operator.js'
import { openTestPostgres, truncate } from '../fixtures/database.js'

const db = await openTestPostgres()
afterAll(() => db.close())

const e164 = '+12065550100'
let operator: Operator
beforeEach(async () => {
  await truncate(db)
  operator = anOperator(db)
  // The commands ask by the clock on the wall.
  operator.clock.advance(systemClock.now().getTime() - operator.clock.now().getTime())
  await operator.putAccount('contoso')
  await operator.sync()
  await operator.putNumbers('contoso', [e164])
  await operator.backends.oc.control.misbehave('refuse', { code: 'NoPlan', message: 'There is no plan.' })
  await operator.sync()
})

/** What a command prints when it is run on the database. */
async function output(command: Command, ...args: string[]): Promise<string> {
  let text = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  try {
    const settings = ['--database-url', db.url, '--seed-stock', 'off', '--log-level', 'fatal']
    await command.parseAsync([...args, ...settings], { from: 'user' })
    return text
  } finally {
    write.mockRestore()
  }
}

describe('the operator at the command line', () => {
  it('sees what was refused, looks at the number, has it tried again, and sees it synced', async () => {
    expect(await output(statusCommand())).toMatch(/refused 1 thing[^]*1 number, since .*NoPlan: There is no plan/)
    expect(await output(numberCommand(), e164)).toMatch(/failed, to be there[^]*upload +refused +NoPlan/)
    expect(await output(requeueCommand(), '--service', 'oc')).toMatch(/1 refused thing due again/)
    await operator.backends.oc.control.behave()
    operator.clock.advance(systemClock.now().getTime() - operator.clock.now().getTime())
    await operator.sync()
    expect(await output(statusCommand())).toContain('Everything has been told, and nothing was refused.')
    expect(await output(numberCommand(), e164)).toMatch(/synced, to be there/)
    expect(await output(requeueCommand(), e164)).toBe(`${e164}: nothing to try again (oc synced).\n`)
  })

  it('gets JSON when asked', async () => {
    const status: unknown = JSON.parse(await output(statusCommand(), '--json'))
    expect(status).toMatchObject({ services: [{ service: 'oc', failed: { count: 1 } }, {}, {}, {}, {}, {}] })
    expect(JSON.parse(await output(numberCommand(), e164, '--json'))).toMatchObject({ e164, cut: false })
    expect(JSON.parse(await output(requeueCommand(), '--json'))).toMatchObject({ services: [{ failed: 1 }] })
  })

  it.each([
    ['a number that nobody has heard of', numberCommand, ['+12065550199'], /ever been heard of/],
    ['what is no number', numberCommand, ['12065550100'], /E\.164/],
    ['numbers that are none', requeueCommand, ['12065550100'], /E\.164/],
    ['an address without a token', statusCommand, ['--url', 'http://127.0.0.1:1'], /--token/],
  ])('is told of %s in one line', async (_what, command, args, message) => {
    await expect(output(command(), ...args)).rejects.toMatchObject({
      // Of either the command line prints the message alone.
      name: expect.stringMatching(/^(Setup|Domain)Error$/),
      message: expect.stringMatching(message),
    })
  })
})
