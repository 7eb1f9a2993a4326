/**
 * What a backend does with a command before it acts on it: a repeat is answered as before, a command that arrives after
 * a later one is dropped, and misbehaviours make commands become jobs, refuse them, or hold them back and carry them
 * out late.
 */
import { newId } from '../../ids.js'
import type { BackendFault, CommandItem } from '../port/call.js'
import type { LoggedItem } from './documents.js'
import type { CommandMethod, Misbehaviour } from './misbehaviour.js'

/** What a document remembers of the commands about its item. It stays when the item goes. */
export interface Remembered {
  /** The highest sequence that was answered for good. */
  sequence: number
  /** The answers to the last few commands. */
  answers: { key: string; fault?: BackendFault }[]
  job?: Job
  heldBack?: { method: CommandMethod; command: CommandItem }
}

/** A command under way: done after `pollsLeft` more polls. */
interface Job {
  key: string
  ticket: string
  pollsLeft: number
  afterMs?: number
}

/** More than the commands that one change of a number takes: unassign, release, upload. */
const ANSWERS_KEPT = 4

export const nothingRemembered = (): Remembered => ({ sequence: 0, answers: [] })

/** The effect of a command: it was refused, or it was done and changed something or not. */
export type Deed = { fault: BackendFault } | { acted: boolean }

/** Changes `document` as the command says. */
export type Act<Document, Command> = (document: Document, method: CommandMethod, command: Command) => Deed

/** The misbehaviours that meet an item, each counted down when it is taken. */
export interface Quirks {
  holdBack(): boolean
  refuse(): BackendFault | undefined
  job(): Misbehaviour<'job'> | undefined
}

export type Reply =
  | { kind: 'done' }
  | { kind: 'refused'; fault: BackendFault }
  | { kind: 'later'; reason: string; afterMs?: number; ticket?: string }

export interface Received {
  reply: Reply
  /** Whether the reply is lost. */
  lost: boolean
  /** For the log: this command, and a held-back one that was carried out after it. */
  logged: Omit<LoggedItem, 'key'>[]
}

/** Handles one command about the item of `document`, which is changed in place. */
export function receive<Document extends Remembered, Command extends CommandItem>(
  document: Document,
  method: CommandMethod,
  command: Command,
  quirks: Quirks,
  act: Act<Document, Command>,
): Received {
  const held = document.heldBack
  // One at a time, so that a sender who repeats gets through.
  if (!held && !answerTo(document, command) && quirks.holdBack()) {
    document.heldBack = { method, command }
    return {
      reply: { kind: 'later', reason: 'held back' },
      lost: true,
      logged: [{ ...marks(command), acted: false, note: 'held back' }],
    }
  }
  const { reply, ...rest } = handle(document, method, command, quirks, act)
  const logged: Received['logged'] = [{ ...marks(command), outcome: reply.kind, ...rest }]
  if (held) {
    delete document.heldBack
    logged.push(carryOutLate(document, held.method, held.command as Command, act))
  }
  return { reply, lost: false, logged }
}

function handle<Document extends Remembered, Command extends CommandItem>(
  document: Document,
  method: CommandMethod,
  command: Command,
  quirks: Quirks,
  act: Act<Document, Command>,
): { reply: Reply; acted: boolean; note?: 'repeated' | 'superseded' } {
  const answer = answerTo(document, command)
  if (answer) return { reply: replyOf(answer.fault), acted: false, note: 'repeated' }
  if (command.sequence < document.sequence) return { reply: { kind: 'done' }, acted: false, note: 'superseded' }

  const fault = quirks.refuse()
  if (fault) return settle(document, command, { fault })

  const job = jobOf(document, command, quirks)
  if (!job) return settle(document, command, act(document, method, command))
  document.job = job
  const { ticket, afterMs } = job
  return {
    reply: { kind: 'later', reason: 'The job is under way.', ticket, ...(afterMs !== undefined && { afterMs }) },
    acted: false,
  }
}

/** The job that the command is, or becomes, after this poll; undefined when it has to be carried out now. */
function jobOf({ job }: Remembered, { idempotencyKey: key }: CommandItem, quirks: Quirks): Job | undefined {
  if (job?.key === key) return job.pollsLeft > 1 ? { ...job, pollsLeft: job.pollsLeft - 1 } : undefined
  const wanted = quirks.job()
  if (!wanted) return undefined
  const { polls: pollsLeft, afterMs } = wanted
  return { key, ticket: newId(), pollsLeft, ...(afterMs !== undefined && { afterMs }) }
}

function settle(document: Remembered, command: CommandItem, deed: Deed): { reply: Reply; acted: boolean } {
  delete document.job
  document.sequence = Math.max(document.sequence, command.sequence)
  const fault = 'fault' in deed ? deed.fault : undefined
  document.answers = [...document.answers, { key: command.idempotencyKey, ...(fault && { fault }) }].slice(
    -ANSWERS_KEPT,
  )
  return { reply: replyOf(fault), acted: 'acted' in deed && deed.acted }
}

function carryOutLate<Document extends Remembered, Command extends CommandItem>(
  document: Document,
  method: CommandMethod,
  command: Command,
  act: Act<Document, Command>,
): Omit<LoggedItem, 'key'> {
  const repeated = answerTo(document, command) !== undefined
  const { reply, acted } = repeated
    ? { reply: { kind: 'done' } as const, acted: false }
    : settle(document, command, act(document, method, command))
  return { ...marks(command), outcome: reply.kind, acted, note: repeated ? 'repeated' : 'carried out late' }
}

const answerTo = ({ answers }: Remembered, { idempotencyKey }: CommandItem) =>
  answers.find(({ key }) => key === idempotencyKey)

const replyOf = (fault: BackendFault | undefined): Reply => (fault ? { kind: 'refused', fault } : { kind: 'done' })

const marks = ({ sequence, idempotencyKey }: CommandItem) => ({ sequence, idempotencyKey })
