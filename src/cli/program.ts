/** The command line as a whole. */
import { Command, CommanderError } from 'commander'
import { VERSION } from '../config/version.js'
import { DomainError, SetupError } from '../errors.js'
import { accountCommand } from './commands/account.js'
import { clientCommand } from './commands/client.js'
import { numberCommand } from './commands/number.js'
import { connectionStringCommand, resourceCommand } from './commands/resource.js'
import { databaseCommand, migrateCommand, serveCommand } from './commands/serve.js'
import { requeueCommand, statusCommand } from './commands/status.js'
import { stockCommand } from './commands/stock.js'
import { infoCommand, settingsCommand } from './commands/system.js'
import { walletCommand } from './commands/wallet.js'
import { itemsCommand, jobCommand, operationsCommand } from './commands/work.js'
import { emulatorCommand } from './emulator/emulator.js'
import type { Io } from './io.js'

/** Runs one command to its end and returns the exit code of the process; errors are written to `io.stderr`. */
export async function runCommand(args: readonly string[], io: Io): Promise<number> {
  try {
    await throughout(programOf(io), (command) => {
      command
        .showHelpAfterError('(add --help for what can be given)')
        .exitOverride()
        .configureOutput({
          writeOut: (text) => io.stdout.write(text),
          writeErr: (text) => io.stderr.write(text),
        })
    }).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has written what it has to say.
    if (error instanceof CommanderError) return error.exitCode
    // What a person can mend is said in one line; anything else is a fault of ours and shows where it came from.
    const isOurs = error instanceof SetupError || error instanceof DomainError
    io.stderr.write(
      isOurs ? `linebook: ${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`,
    )
    return 1
  }
}

/** Every command, for those who list them. */
export const programOf = (io: Io): Command =>
  new Command('linebook')
    .description('A self-hosted phone-number service: one ledger of numbers behind published Azure APIs.')
    .version(VERSION)
    .addCommand(serveCommand(io))
    .addCommand(migrateCommand(io))
    .addCommand(databaseCommand(io))
    .addCommand(resourceCommand(io))
    .addCommand(connectionStringCommand(io))
    .addCommand(stockCommand(io))
    .addCommand(walletCommand(io))
    .addCommand(numberCommand(io))
    .addCommand(accountCommand(io))
    .addCommand(clientCommand(io))
    .addCommand(statusCommand(io))
    .addCommand(itemsCommand(io))
    .addCommand(requeueCommand(io))
    .addCommand(operationsCommand(io))
    .addCommand(jobCommand(io))
    .addCommand(infoCommand(io))
    .addCommand(settingsCommand(io))
    .addCommand(emulatorCommand(io))
    .addHelpText(
      'after',
      `
Every setting can be a flag or an environment variable; "linebook serve --help" lists them.

Examples:
  $ linebook serve                                   an emulator on this machine, with fictional numbers
  $ linebook connection-string                       what to give to the Azure SDK
  $ linebook stock import numbers.csv                put numbers of one's own into stock
  $ linebook status                                  whether the backends are in sync
  $ linebook number +14255550100                     all that happened to a number
  $ linebook emulator clock --advance PT16M          let time pass in an emulator
  $ LINEBOOK_URL=https://numbers.example LINEBOOK_TOKEN=$TOKEN linebook status    another machine's`,
    )

function throughout(command: Command, change: (command: Command) => void): Command {
  change(command)
  for (const below of command.commands) throughout(below, change)
  return command
}
