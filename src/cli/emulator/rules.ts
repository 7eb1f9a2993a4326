/** The commands that say how operations and requests of an emulator go: scripts, operations by hand, faults. */
import { Argument, Command, InvalidArgumentError } from 'commander'
import { addEmulatorOptions } from '../client/connect.js'
import type { Io } from '../io.js'
import { counted, instant } from '../text/words.js'
import { askEmulator } from './control.js'

interface Script {
  id: string
  operation?: string
  resource?: string
  times?: number
  left?: number
  afterMs?: number
  polls?: number
  byHand?: true
  failure?: { code: string; message: string }
}

export const scriptCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('script'))
    .description('Say how operations go from now on; without --after, --polls and --by-hand they end at once')
    .option('--operation <KIND>', 'only search, purchase, reservationPurchase, release or capabilities')
    .option('--resource <NAME>', 'only those of a resource')
    .option('--times <COUNT>', 'only so many', wholeNumber)
    .option('--after <DURATION>', 'they end after a time: milliseconds or an ISO 8601 duration')
    .option('--polls <COUNT>', 'they end when they are asked for the so many-th time', wholeNumber)
    .option('--by-hand', 'they wait until "linebook emulator operation" moves them on')
    .option('--fail <CODE>', 'they fail with this error')
    .option('--message <TEXT>', 'what the error says; needed where the code is not a published one')
    .addHelpText(
      'after',
      `
Scripts are gone through in the order in which they were given; the first that is for an operation counts.

Examples:
  $ linebook emulator script --operation purchase --polls 3
  $ linebook emulator script --operation search --times 1 --fail OutOfStock
  $ linebook emulator script --resource test-1 --by-hand`,
    )
    .action((given: ScriptOptions, command: Command) => {
      const { operation, resource, times, after, polls, byHand, fail, message } = given
      const body = {
        operation,
        resource,
        times,
        ...(after !== undefined && { after: /^\d+$/.test(after) ? Number(after) : after }),
        polls,
        byHand,
        ...((fail ?? message) !== undefined && { failure: { code: fail, message } }),
      }
      return askEmulator(io, command, { method: 'POST', path: '/scripts', body }, (script: Script) =>
        scriptText(script),
      )
    })

interface ScriptOptions {
  operation?: string
  resource?: string
  times?: number
  after?: string
  polls?: number
  byHand?: true
  fail?: string
  message?: string
}

export const scriptsCommand = (io: Io): Command =>
  listCommand(io, 'scripts', 'script', ({ scripts }: { scripts: Script[] }) => scripts.map(scriptText))

function scriptText({ id, operation, resource, left, times, afterMs, polls, byHand, failure }: Script): string {
  const which = `${operation ?? 'every operation'}${resource === undefined ? '' : ` of ${resource}`}`
  const when = byHand
    ? 'by hand'
    : polls
      ? `after ${counted(polls, 'poll')}`
      : afterMs
        ? `after ${afterMs} ms`
        : 'at once'
  const how = failure ? `fails with ${failure.code}` : 'goes'
  return `${id}  ${which}: ${how} ${when}${times === undefined ? '' : `, ${left} of ${times} left`}`
}

interface Pending {
  id: string
  resource: string
  kind: string
  createdAt: string
  waitsFor: string
  dueAt: string | null
  pollsLeft: number | null
}

export const operationsCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('operations'))
    .description('List the operations that have not ended')
    .option('--resource <NAME>', 'only those of a resource')
    .addHelpText('after', '\nExample:\n  $ linebook emulator operations')
    .action(({ resource }: { resource?: string }, command: Command) =>
      askEmulator(
        io,
        command,
        { method: 'GET', path: `/operations${resourceQuery(resource)}` },
        ({ operations }: { operations: Pending[] }) =>
          operations.length === 0 ? 'No operation is pending.' : operations.map(pendingText).join('\n'),
      ),
    )

const pendingText = ({ id, resource, createdAt, waitsFor, dueAt, pollsLeft }: Pending): string => {
  const detail = dueAt ? ` until ${instant(dueAt)}` : pollsLeft ? ` (${pollsLeft} left)` : ''
  return `${id}  of ${resource}, since ${instant(createdAt)}, waits for ${waitsFor}${detail}`
}

export const operationCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('operation'))
    .description('Move a pending operation on')
    .argument('<id>', 'the operation')
    .addArgument(new Argument('<status>', 'what becomes of it').choices(['running', 'succeeded', 'failed']))
    .option('--resource <NAME>', 'whose it is, where two resources have one of that id')
    .option('--code <CODE>', 'with failed: the error')
    .option('--message <TEXT>', 'what the error says; needed where the code is not a published one')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook emulator operation purchase_0f9e… running
  $ linebook emulator operation purchase_0f9e… failed --code NotEnoughCredit`,
    )
    .action((id: string, status: string, { resource, code, message }: OperationOptions, command: Command) =>
      askEmulator(
        io,
        command,
        {
          method: 'POST',
          path: `/operations/${encodeURIComponent(id)}${resourceQuery(resource)}`,
          body: { status, ...((code ?? message) !== undefined && { error: { code, message } }) },
        },
        () => `The operation ${id} is ${status}.`,
      ),
    )

interface OperationOptions {
  resource?: string
  code?: string
  message?: string
}

const resourceQuery = (resource: string | undefined): string =>
  resource === undefined ? '' : `?resource=${encodeURIComponent(resource)}`

interface Fault {
  id: string
  route: string
  effect: string
  status?: number
  delayMs?: number
  probability: number
  times?: number
  met: number
  struck: number
}

export const faultCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('fault'))
    .description('Make requests fail from now on')
    .argument('<route>', 'an operationId, or a method (or *) and a path with {name} and *')
    .argument('<effect>', 'what happens: answer, delay, cut or lose-answer')
    .option('--status <STATUS>', 'answer: with this', wholeNumber)
    .option('--code <CODE>', "answer: the error's code")
    .option('--message <TEXT>', 'answer: what the error says')
    .option('--retry-after <SECONDS>', 'answer: with the header Retry-After', wholeNumber)
    .option('--delay <MS>', 'delay: by so many milliseconds', wholeNumber)
    .option('--probability <P>', 'how many of the requests it strikes, up to 1 for all', Number)
    .option('--seed <NUMBER>', 'of its luck: the same seed and the same requests, the same faults', wholeNumber)
    .option('--times <COUNT>', 'how often it strikes', wholeNumber)
    .addHelpText(
      'after',
      `
Effects:
  answer        the request is answered before anything is done
  delay         it waits, then goes on
  cut           the connection ends before anything is done
  lose-answer   it is carried out, then the connection ends without an answer

Examples:
  $ linebook emulator fault PhoneNumbers_PurchasePhoneNumbers lose-answer --times 1
  $ linebook emulator fault "GET /phoneNumbers/*" answer --status 503 --retry-after 1 --probability 0.2 --seed 7
  $ linebook emulator fault "* /*" delay --delay 300`,
    )
    .action((route: string, effect: string, options: FaultOptions, command: Command) => {
      const { status, code, message, retryAfter, delay, probability, seed, times } = options
      const parts = { status, code, message, retryAfterSeconds: retryAfter, delayMs: delay, probability, seed, times }
      return askEmulator(
        io,
        command,
        { method: 'POST', path: '/faults', body: { route, effect, ...parts } },
        (fault: Fault) => faultText(fault),
      )
    })

interface FaultOptions {
  status?: number
  code?: string
  message?: string
  retryAfter?: number
  delay?: number
  probability?: number
  seed?: number
  times?: number
}

export const faultsCommand = (io: Io): Command =>
  listCommand(io, 'faults', 'fault', ({ faults }: { faults: Fault[] }) => faults.map(faultText))

function faultText({ id, route, effect, status, delayMs, probability, times, met, struck }: Fault): string {
  const detail = status ? ` ${status}` : delayMs ? ` ${delayMs} ms` : ''
  const often = probability < 1 ? `, ${probability} of the time` : ''
  return `${id}  ${route}: ${effect}${detail}${often}; struck ${struck} of ${met}${times ? `, at most ${times}` : ''}`
}

/** Lists rules, removes one or all. */
function listCommand(io: Io, plural: string, singular: string, lines: (body: never) => string[]): Command {
  return addEmulatorOptions(new Command(plural))
    .description(`List ${plural}`)
    .option('--remove <ID>', 'remove this one instead')
    .option('--clear', 'remove all instead')
    .addHelpText('after', `\nExamples:\n  $ linebook emulator ${plural}\n  $ linebook emulator ${plural} --clear`)
    .action(({ remove, clear }: { remove?: string; clear?: true }, command: Command) => {
      const path = `/${plural}`
      if (remove !== undefined) {
        const at = `${path}/${encodeURIComponent(remove)}`
        return askEmulator(io, command, { method: 'DELETE', path: at }, () => `The ${singular} ${remove} is removed.`)
      }
      if (clear) return askEmulator(io, command, { method: 'DELETE', path }, () => `There are no ${plural} any more.`)
      return askEmulator(
        io,
        command,
        { method: 'GET', path },
        (body: never) => lines(body).join('\n') || `There are no ${plural}.`,
      )
    })
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('A whole number.')
  return Number(text)
}
