import { Command } from 'commander'
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
