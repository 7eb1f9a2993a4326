import { Command } from 'commander'
import { addSettings, configOf, print, STORE_SETTINGS, withStore } from '../connection/settings.js'

export const serveCommand = (): Command =>
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
      process.exitCode = await serve(configOf(command), print)
      // Nothing is left to wait for; an idle handle of the embedded engine must not hold the process.
      process.exit()
    })

export const migrateCommand = (): Command =>
  addSettings(new Command('migrate'), STORE_SETTINGS)
    .description("Bring the database to this program's schema; serve does the same when it starts")
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgres://linebook:secret@db/linebook linebook migrate')
    .action((_options, command: Command) =>
      withStore(command, async () => print("The database has this program's schema.")),
    )
