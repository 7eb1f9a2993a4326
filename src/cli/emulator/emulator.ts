import { Command } from 'commander'
import { SetupError } from '../../errors.js'
import { addStandinOptions, askStandin, WHICH_STANDIN } from './request.js'
import { resourceCommand, resourcesCommand } from './resources.js'
import {
  faultCommand,
  faultsCommand,
  operationCommand,
  operationsCommand,
  scriptCommand,
  scriptsCommand,
} from './rules.js'
import { instant } from '../text/words.js'

export const standinCommand = (): Command =>
  new Command('standin')
    .description('The powers of a running stand-in: reset it, go back in it, move its clock, make it fail')
    .addCommand(resetCommand())
    .addCommand(snapshotCommand())
    .addCommand(snapshotsCommand())
    .addCommand(restoreCommand())
    .addCommand(clockCommand())
    .addCommand(resourceCommand())
    .addCommand(resourcesCommand())
    .addCommand(scriptCommand())
    .addCommand(scriptsCommand())
    .addCommand(operationCommand())
    .addCommand(operationsCommand())
    .addCommand(faultCommand())
    .addCommand(faultsCommand())
    .addHelpText(
      'after',
      `${WHICH_STANDIN}

Examples:
  $ linebook standin snapshot clean                  keep how it is now
  $ linebook standin restore clean                   go back to that
  $ linebook standin clock --advance PT16M           let holds expire
  $ linebook standin resource                        a resource with a stock of its own`,
    )

const resetCommand = (): Command =>
  addStandinOptions(new Command('reset'))
    .description('Make everything as in a fresh stand-in; snapshots stay')
    .addHelpText('after', '\nExample:\n  $ linebook standin reset')
    .action((_options, command: Command) =>
      askStandin(command, { method: 'POST', path: '/reset' }, () => 'Everything is as in a fresh stand-in.'),
    )

const snapshotCommand = (): Command =>
  addStandinOptions(new Command('snapshot'))
    .description('Keep how everything is now, to be gone back to; one of that name is replaced')
    .argument('<name>', 'lower-case letters, digits, hyphens and underscores')
    .addHelpText('after', '\nExample:\n  $ linebook standin snapshot two-numbers-bought')
    .action((name: string, _options, command: Command) =>
      askStandin(
        command,
        { method: 'PUT', path: `/snapshots/${encodeURIComponent(name)}` },
        () => `The snapshot ${name} is taken.`,
      ),
    )

interface Snapshots {
  snapshots: { name: string; takenAt: string; schemaVersion: number; restorable: boolean }[]
}

const snapshotsCommand = (): Command =>
  addStandinOptions(new Command('snapshots'))
    .description('List snapshots')
    .option('--remove <NAME>', 'remove this one instead')
    .addHelpText(
      'after',
      '\nExamples:\n  $ linebook standin snapshots\n  $ linebook standin snapshots --remove two-numbers-bought',
    )
    .action(({ remove }: { remove?: string }, command: Command) =>
      remove === undefined
        ? askStandin(command, { method: 'GET', path: '/snapshots' }, ({ snapshots }: Snapshots) =>
            listOr(
              'There is no snapshot.',
              snapshots.map(
                ({ name, takenAt, restorable }) =>
                  `${name.padEnd(24)} ${instant(takenAt)}${restorable ? '' : '  of an older schema: take it again'}`,
              ),
            ),
          )
        : askStandin(
            command,
            { method: 'DELETE', path: `/snapshots/${encodeURIComponent(remove)}` },
            () => `The snapshot ${remove} is removed.`,
          ),
    )

const restoreCommand = (): Command =>
  addStandinOptions(new Command('restore'))
    .description('Make everything as it was when a snapshot was taken')
    .argument('<name>', 'the snapshot')
    .addHelpText('after', '\nExample:\n  $ linebook standin restore two-numbers-bought')
    .action((name: string, _options, command: Command) =>
      askStandin(
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

const clockCommand = (): Command =>
  addStandinOptions(new Command('clock'))
    .description('Show the clock, or move it: holds expire, operations end, quarantines are over')
    .option('--advance <DURATION>', 'by milliseconds or an ISO 8601 duration')
    .option('--set <INSTANT>', 'to a later instant')
    .option('--real', 'back to real time')
    .addHelpText(
      'after',
      `
Access keys, signatures and tokens are judged by the real time, wherever the clock stands.

Examples:
  $ linebook standin clock
  $ linebook standin clock --advance PT16M
  $ linebook standin clock --set 2027-01-01T00:00:00Z
  $ linebook standin clock --real`,
    )
    .action(({ advance, set, real }: ClockOptions, command: Command) => {
      if ([advance, set, real].filter((way) => way !== undefined).length > 1) {
        throw new SetupError('Give one of --advance, --set and --real.')
      }
      const tell = ({ now, offsetMs }: { now: string; offsetMs: number }) =>
        `${now}  ${offsetMs === 0 ? 'real time' : `${offsetMs} ms from real time`}`
      if (advance !== undefined) {
        const by = /^\d+$/.test(advance) ? Number(advance) : advance
        return askStandin(command, { method: 'POST', path: '/clock', body: { advance: by } }, tell)
      }
      const now = real ? 'real' : set
      return now === undefined
        ? askStandin(command, { method: 'GET', path: '/clock' }, tell)
        : askStandin(command, { method: 'PUT', path: '/clock', body: { now } }, tell)
    })

const listOr = (none: string, lines: string[]): string => (lines.length === 0 ? none : lines.join('\n'))
