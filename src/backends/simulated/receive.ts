/**
 * What a backend does with a command before the command's own matter comes up: a repeat is answered as before, one that
 * arrives after a later one is dropped, and, where it was asked to misbehave, commands become jobs, are refused, or are
 * held back and carried out late.
 */
import { newId } from '../../ids.js'
import type { BackendFault, CommandItem } from '../port/call.js'
import type { LoggedItem } from './documents.js'
import type { CommandMethod, Misbehaviour } from './misbehaviour.js'

/** What is remembered of the commands about one thing. It stays when the thing goes. */
export interface Remembered {
  /** The highest that was answered for good. */
  sequence: number
  /** Of the last few commands. */
  answers: { key: string; fault?: BackendFault }[]
  job?: Job
  heldBack?: { method: CommandMethod; command: CommandItem }
}

/** A command under way: done when it has been asked for so many times more. */
interface Job {
  key: string
  ticket: string
  pollsLeft: number
  afterMs?: number
}

/** More than the commands that one change of a number takes: unassign, release, upload. */
const ANSWERS_KEPT = 4

export const nothingRemembered = (): Remembered => ({ sequence: 0, answers: [] })

/** What a command did: it was refused, or it was done and changed something or not. */
export type Deed = { fault: BackendFault } | { acted: boolean }

/** Changes `thing` as the command says. */
export type Act<Thing, Command> = (thing: Thing, method: CommandMethod, command: Command) => Deed

/** The misbehaviours that meet an item, taken as they are asked for. */
export interface Quirks {
  holdBack(): boolean
  refuse(): BackendFault | undefined
  job(): Misbehaviour<'job'> | undefined
}

export type Told =
  | { kind: 'done' }
  | { kind: 'refused'; fault: BackendFault }
  | { kind: 'later'; reason: string; afterMs?: number; ticket?: string }

export interface Received {
  told: Told
  /** Whether the caller is to learn nothing. */
  lost: boolean
  /** For the log: this command, and the one held back that was carried out after it. */
  logged: Omit<LoggedItem, 'key'>[]
}

/** Takes one command about `thing`, which is changed in place. */
export function receive<Thing extends Remembered, Command extends CommandItem>(
  thing: Thing,
  method: CommandMethod,
  command: Command,
  quirks: Quirks,
  act: Act<Thing, Command>,
): Received {
  const held = thing.heldBack
  // One at a time, so that a sender who repeats gets through.
  if (!held && !answerTo(thing, command) && quirks.holdBack()) {
    thing.heldBack = { method, command }
    return {
      told: { kind: 'later', reason: 'held back' },
      lost: true,
      logged: [{ ...marks(command), acted: false, note: 'held back' }],
    }
  }
  const { told, ...rest } = handle(thing, method, command, quirks, act)
  const logged: Received['logged'] = [{ ...marks(command), outcome: told.kind, ...rest }]
  if (held) {
    delete thing.heldBack
    logged.push(carryOutLate(thing, held.method, held.command as Command, act))
  }
  return { told, lost: false, logged }
}

function handle<Thing extends Remembered, Command extends CommandItem>(
  thing: Thing,
  method: CommandMethod,
  command: Command,
  quirks: Quirks,
  act: Act<Thing, Command>,
): { told: Told; acted: boolean; note?: 'repeated' | 'superseded' } {
  const answer = answerTo(thing, command)
  if (answer) return { told: toldOf(answer.fault), acted: false, note: 'repeated' }
  if (command.sequence < thing.sequence) return { told: { kind: 'done' }, acted: false, note: 'superseded' }

  const fault = quirks.refuse()
  if (fault) return settle(thing, command, { fault })

  const job = jobOf(thing, command, quirks)
  if (!job) return settle(thing, command, act(thing, method, command))
  thing.job = job
  const { ticket, afterMs } = job
  return {
    told: { kind: 'later', reason: 'The job is under way.', ticket, ...(afterMs !== undefined && { afterMs }) },
    acted: false,
  }
}

/** The job that the command is, or becomes, after this asking; undefined when it is to be done now. */
function jobOf({ job }: Remembered, { idempotencyKey: key }: CommandItem, quirks: Quirks): Job | undefined {
  if (job?.key === key) return job.pollsLeft > 1 ? { ...job, pollsLeft: job.pollsLeft - 1 } : undefined
  const wanted = quirks.job()
  if (!wanted) return undefined
  const { polls: pollsLeft, afterMs } = wanted
  return { key, ticket: newId(), pollsLeft, ...(afterMs !== undefined && { afterMs }) }
}

function settle(thing: Remembered, command: CommandItem, deed: Deed): { told: Told; acted: boolean } {
  delete thing.job
  thing.sequence = Math.max(thing.sequence, command.sequence)
  const fault = 'fault' in deed ? deed.fault : undefined
  thing.answers = [...thing.answers, { key: command.idempotencyKey, ...(fault && { fault }) }].slice(-ANSWERS_KEPT)
  return { told: toldOf(fault), acted: 'acted' in deed && deed.acted }
}

function carryOutLate<Thing extends Remembered, Command extends CommandItem>(
  thing: Thing,
  method: CommandMethod,
  command: Command,
  act: Act<Thing, Command>,
): Omit<LoggedItem, 'key'> {
  const repeated = answerTo(thing, command) !== undefined
  const { told, acted } = repeated
    ? { told: { kind: 'done' } as const, acted: false }
    : settle(thing, command, act(thing, method, command))
  return { ...marks(command), outcome: told.kind, acted, note: repeated ? 'repeated' : 'carried out late' }
}

const answerTo = ({ answers }: Remembered, { idempotencyKey }: CommandItem) =>
  answers.find(({ key }) => key === idempotencyKey)

const toldOf = (fault: BackendFault | undefined): Told => (fault ? { kind: 'refused', fault } : { kind: 'done' })

const marks = ({ sequence, idempotencyKey }: CommandItem) => ({ sequence, idempotencyKey })
