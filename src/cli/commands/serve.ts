import { Argument, Command, Option } from 'commander'
import { SetupError } from '../../errors.js'
import { print } from '../client/perform.js'
import { addSettings, configOf, STORE_SETTINGS } from '../client/settings.js'
import type { Io } from '../io.js'

export const serveCommand = (io: Io): Command =>
  addSettings(new Command('serve'))
    .description('Run the service until Ctrl-C. With nothing set it is an emulator on this machine')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook serve
  $ linebook serve --in-memory --http-port 0         nothing kept, any free port: for tests
  $ linebook serve --search-delay-ms 3000            let clients see operations run
  $ DATABASE_URL=postgres://linebook:secret@db/linebook LINEBOOK_MODE=production \\
    LINEBOOK_SECRET_KEY=$(cat secret.key) linebook serve --https-port ''`,
    )
    .action(async (_options, command: Command) => {
      // Loaded when it is needed: no other command waits for the server's modules.
      const { serve } = await import('../../main.js')
      process.exitCode = await serve(configOf(command, io.env), (text) => print(io, text))
      // Nothing is left to wait for; an idle handle of the embedded engine must not hold the process.
      process.exit()
    })

export const migrateCommand = (io: Io): Command =>
  addSettings(new Command('migrate'), STORE_SETTINGS)
    .description("Bring the database to this program's schema; serve does the same when it starts")
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgres://linebook:secret@db/linebook linebook migrate')
    .action(async (_options, command: Command) => {
      const { openStore } = await import('../../compose/store.js')
      const store = await openStore(configOf(command, io.env), 'migrate')
      await store.close()
      print(io, "The database has this program's schema.")
    })

export const databaseCommand = (io: Io): Command =>
  new Command('database')
    .description('What the configured database is for')
    .addCommand(stampCommand(io))
    .addHelpText('after', '\nExample:\n  $ linebook database stamp production')

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
