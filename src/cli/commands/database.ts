import { Argument, Command, Option } from 'commander'
import { SetupError } from '../../errors.js'
import { print } from '../client/perform.js'
import { addSettings, configOf, STORE_SETTINGS } from '../client/settings.js'
import type { Io } from '../io.js'

export const databaseCommand = (io: Io): Command =>
  new Command('database').description('What the configured database is for').addCommand(stampCommand(io))

const stampCommand = (io: Io): Command =>
  addSettings(new Command('stamp'), STORE_SETTINGS)
    .description(
      "Say what the database is for from now on. For production, it first removes an emulator's published credentials, " +
        'and says which',
    )
    .addArgument(new Argument('<mode>').choices(['production', 'emulator']))
    .addOption(new Option('--yes', 'for emulator: everybody knows its credentials, and one request empties it'))
    .addHelpText(
      'after',
      `
Stop every server on the database first. A database is stamped when it is made, and "linebook serve" and all other
commands refuse one that is stamped for another LINEBOOK_MODE.

Example:
  $ DATABASE_URL=postgres://linebook:secret@db/linebook LINEBOOK_SECRET_KEY=$(cat secret.key) \\
    linebook database stamp production`,
    )
    .action(async (mode: 'production' | 'emulator', { yes = false }: { yes?: boolean }, command: Command) => {
      if (mode === 'emulator' && !yes) {
        throw new SetupError(
          'An emulator\'s database has credentials that everybody knows, and "linebook emulator reset" empties it. ' +
            "Add --yes if this one may be an emulator's.",
        )
      }
      const { stampDatabase } = await import('../../compose/stamp.js')
      for (const line of await stampDatabase(configOf(command, io.env), mode)) print(io, `- ${line}`)
      print(io, `The database is stamped: ${mode}.`)
    })
