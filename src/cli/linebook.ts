#!/usr/bin/env node
import { Command } from 'commander'
import { VERSION } from '../config/version.js'
import { DomainError, SetupError } from '../errors.js'
import { clientCommand } from './commands/client.js'
import { numberCommand } from './commands/number.js'
import { requeueCommand } from './commands/requeue.js'
import { connectionStringCommand, resourceCommand } from './commands/resource.js'
import { migrateCommand, serveCommand } from './commands/serve.js'
import { statusCommand } from './commands/status.js'
import { stockCommand } from './commands/stock.js'
import { walletCommand } from './commands/wallet.js'
import { emulatorCommand } from './emulator/emulator.js'

const program = new Command('linebook')
  .description('A self-hosted phone-number service: one ledger of numbers behind published Azure APIs.')
  .version(VERSION)
  .showHelpAfterError('(add --help for what can be given)')
  .addCommand(serveCommand(), { isDefault: false })
  .addCommand(migrateCommand())
  .addCommand(resourceCommand())
  .addCommand(connectionStringCommand())
  .addCommand(stockCommand())
  .addCommand(walletCommand())
  .addCommand(clientCommand())
  .addCommand(statusCommand())
  .addCommand(requeueCommand())
  .addCommand(numberCommand())
  .addCommand(emulatorCommand())
  .addHelpText(
    'after',
    `
Every setting can be a flag or an environment variable; "linebook serve --help" lists them.

Examples:
  $ linebook serve                                   an emulator on this machine, with fictional numbers
  $ linebook connection-string                       what to give to the Azure SDK
  $ linebook stock import numbers.csv                put numbers of one's own into stock
  $ linebook status                                  whether the backends have taken what they were told
  $ linebook number +14255550100                     all that happened to a number
  $ linebook emulator clock --advance PT16M           let time pass in an emulator`,
  )

try {
  await program.parseAsync()
} catch (error) {
  // What a person can mend is told in one line; anything else is a fault of ours and shows where it came from.
  if (error instanceof SetupError || error instanceof DomainError) process.stderr.write(`linebook: ${error.message}\n`)
  else console.error(error)
  process.exitCode = 1
}
