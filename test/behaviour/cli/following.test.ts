/** What was refused by a backend, from seeing it to mending it; and long work that is cancelled. */
import { expect } from 'vitest'
import { openOver } from '../../../src/compose/in-process.js'
import { configuration, operatorConnect } from '../../fixtures/accounts.js'
import { commandLineOf } from '../../fixtures/command-line.js'
import { it } from '../../fixtures/test.js'

const e164 = '+12065550100'

it('an operator sees what was refused, reads the number, has it tried again, and sees it synced', async ({
  service,
  operator,
  emulator,
}) => {
  const sync = () => service.wiring.provisioning.reconcilers.get('oc')?.carryOut()
  const cli = await commandLineOf(service, 'in process')
  await operator.put('/accounts/contoso', { serviceDetails: operatorConnect() })
  await sync()
  await operator.put(`/accounts/contoso/numbers/${e164}`, {
    serviceDetails: { teamsOperatorConnect: { enabled: true, configuration: configuration() } },
  })
  const refuse = { code: 'NoPlan', message: 'There is no plan.' }
  await emulator.send('PUT', '/backends/oc/misbehaviours/refuse', refuse)
  await sync()
  expect(await cli.prints('status')).toMatch(/refused 1 item[^]*1 number, since .*NoPlan: There is no plan/)
  expect(await cli.prints('status')).toMatch(/^oc .* \? +0/m)
  expect(await cli.prints('items')).toMatch(/^oc +failed since .* number \+12065550100 of account contoso: NoPlan/)
  expect(await cli.prints('number', e164)).toMatch(/failed, to be there[^]*upload +refused +NoPlan/)
  expect(await cli.prints('number', 'list', '--sync-status', 'failed')).toContain(`${e164} `)
  expect(await cli.prints('requeue', '--service', 'oc')).toMatch(/1 refused item due again/)
  await emulator.send('DELETE', '/backends/oc/misbehaviours')
  await sync()
  expect(await cli.prints('status')).toContain('Every backend is in sync, and nothing was refused.')
  expect(await cli.prints('number', e164)).toMatch(/synced, to be there/)
  expect(await cli.prints('requeue', e164)).toBe(`${e164}: nothing to try again (oc synced).\n`)
  await cli.close()
})

it('Ctrl-C cancels the job that a command waits for, and nothing of it is kept', async ({ service }) => {
  const cli = await commandLineOf(service, 'in process')
  const interrupted = await cli.run(['stock', 'generate', e164, '100'], {
    // The job waits: one that runs may have ended by then.
    openInProcess: async (config, user) => ({ ...(await openOver(service.store, config, user)), runJobs: () => {} }),
    onInterrupt: (handle) => {
      handle()
      return () => {}
    },
  })
  expect(interrupted).toMatchObject({ code: 1, stdout: '' })
  expect(interrupted.stderr).toMatch(/^Cancelling …\nlinebook: The job \S+ was cancelled\.\n$/)
  expect(await cli.prints('number', 'list')).toBe('No such number is in the ledger.\n')
  await cli.close()
})

it('commands that are unknown, or lack an argument, say so and where help is', async ({ service }) => {
  const cli = await commandLineOf(service, 'in process')
  expect((await cli.run(['sreve'])).stderr).toMatch(/unknown command 'sreve'/)
  expect((await cli.run(['stock', 'import'])).stderr).toMatch(/missing required argument 'file'[^]*--help/)
  await cli.close()
})
