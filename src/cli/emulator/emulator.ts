import { Command } from 'commander'
import { SetupError } from '../../errors.js'
import { addEmulatorOptions } from '../client/connect.js'
import type { Io } from '../io.js'
import { instant } from '../text/words.js'
import { askEmulator, WHICH_EMULATOR } from './control.js'
import { resourceCommand, resourcesCommand } from './resources.js'
import {
  faultCommand,
  faultsCommand,
  operationCommand,
  operationsCommand,
  scriptCommand,
  scriptsCommand,
} from './rules.js'

export const emulatorCommand = (io: Io): Command =>
  new Command('emulator')
    .description('The test controls of a running emulator: reset it, go back in it, move its clock, make it fail')
    .addCommand(resetCommand(io))
    .addCommand(snapshotCommand(io))
    .addCommand(snapshotsCommand(io))
    .addCommand(restoreCommand(io))
    .addCommand(clockCommand(io))
    .addCommand(resourceCommand(io))
    .addCommand(resourcesCommand(io))
    .addCommand(scriptCommand(io))
    .addCommand(scriptsCommand(io))
    .addCommand(operationCommand(io))
    .addCommand(operationsCommand(io))
    .addCommand(faultCommand(io))
    .addCommand(faultsCommand(io))
    .addHelpText(
      'after',
      `${WHICH_EMULATOR}

Examples:
  $ linebook emulator snapshot clean                  keep how it is now
  $ linebook emulator restore clean                   go back to that
  $ linebook emulator clock --advance PT16M           let holds expire
  $ linebook emulator resource                        a resource with a stock of its own`,
    )

const resetCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('reset'))
    .description('Make everything as in a fresh emulator; snapshots stay')
    .addHelpText('after', '\nExample:\n  $ linebook emulator reset')
    .action((_options, command: Command) =>
      askEmulator(io, command, { method: 'POST', path: '/reset' }, () => 'Everything is as in a fresh emulator.'),
    )

const snapshotCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('snapshot'))
    .description('Keep how everything is now, to be gone back to; one of that name is replaced')
    .argument('<name>', 'lower-case letters, digits, hyphens and underscores')
    .addHelpText('after', '\nExample:\n  $ linebook emulator snapshot two-numbers-bought')
    .action((name: string, _options, command: Command) =>
      askEmulator(
        io,
        command,
        { method: 'PUT', path: `/snapshots/${encodeURIComponent(name)}` },
        () => `The snapshot ${name} is taken.`,
      ),
    )

interface Snapshots {
  snapshots: { name: string; takenAt: string; schemaVersion: number; restorable: boolean }[]
}

const snapshotsCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('snapshots'))
    .description('List snapshots')
    .option('--remove <NAME>', 'remove this one instead')
    .addHelpText(
      'after',
      '\nExamples:\n  $ linebook emulator snapshots\n  $ linebook emulator snapshots --remove two-numbers-bought',
    )
    .action(({ remove }: { remove?: string }, command: Command) =>
      remove === undefined
        ? askEmulator(io, command, { method: 'GET', path: '/snapshots' }, ({ snapshots }: Snapshots) =>
            listOr(
              'There is no snapshot.',
              snapshots.map(
                ({ name, takenAt, restorable }) =>
                  `${name.padEnd(24)} ${instant(takenAt)}${restorable ? '' : '  of an older schema: take it again'}`,
              ),
            ),
          )
        : askEmulator(
            io,
            command,
            { method: 'DELETE', path: `/snapshots/${encodeURIComponent(remove)}` },
            () => `The snapshot ${remove} is removed.`,
          ),
    )

const restoreCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('restore'))
    .description('Make everything as it was when a snapshot was taken')
    .argument('<name>', 'the snapshot')
    .addHelpText('after', '\nExample:\n  $ linebook emulator restore two-numbers-bought')
    .action((name: string, _options, command: Command) =>
      askEmulator(
        io,
        command,
        { method: 'POST', path: `/snapshots/${encodeURIComponent(name)}/restore` },
        ({ takenAt }: { takenAt: string }) => `Everything is as it was at ${instant(takenAt)}.`,
      ),
    )

interface ClockOptions {
  advance?: string
  set?: string
  real?: true
}

const clockCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('clock'))
    .description('Show the clock, or move it: holds expire, operations end, quarantines are over')
    .option('--advance <DURATION>', 'by milliseconds or an ISO 8601 duration')
    .option('--set <INSTANT>', 'to a later instant')
    .option('--real', 'back to real time')
    .addHelpText(
      'after',
      `
Access keys, signatures and tokens are judged by the real time, wherever the clock stands.

Examples:
  $ linebook emulator clock
  $ linebook emulator clock --advance PT16M
  $ linebook emulator clock --set 2027-01-01T00:00:00Z
  $ linebook emulator clock --real`,
    )
    .action(({ advance, set, real }: ClockOptions, command: Command) => {
      if ([advance, set, real].filter((way) => way !== undefined).length > 1) {
        throw new SetupError('Give one of --advance, --set and --real.')
      }
      const tell = ({ now, offsetMs }: { now: string; offsetMs: number }) =>
        `${now}  ${offsetMs === 0 ? 'real time' : `${offsetMs} ms from real time`}`
      if (advance !== undefined) {
        const by = /^\d+$/.test(advance) ? Number(advance) : advance
        return askEmulator(io, command, { method: 'POST', path: '/clock', body: { advance: by } }, tell)
      }
      const now = real ? 'real' : set
      return now === undefined
        ? askEmulator(io, command, { method: 'GET', path: '/clock' }, tell)
        : askEmulator(io, command, { method: 'PUT', path: '/clock', body: { now } }, tell)
    })

const listOr = (none: string, lines: string[]): string => (lines.length === 0 ? none : lines.join('\n'))
