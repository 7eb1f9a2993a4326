/**
 * Bodies of jobs on disk: each in its own file, which other users can't read and which is deleted when its job ends.
 */
import { lstat, mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DomainError } from '../../errors.js'
import { makeFolder } from '../../folder.js'
import { isUuid } from '../../ids.js'

const SUFFIX = '.spool'

/** The file of a job. */
export const spoolFile = (folder: string, jobId: string): string => join(folder, `${jobId}${SUFFIX}`)

/**
 * Writes a body to a new file (0600, in a folder 0700) and returns how many bytes it has, once they are on the disk.
 * Leaves no file behind when it throws: 'body-too-large', 'unavailable' when the disk is full, the signal's reason, or
 * the error that the body broke off with.
 */
export async function spoolBody(
  body: Readable,
  path: string,
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal },
): Promise<number> {
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= maxBytes) return done(null, chunk)
      done(new DomainError('body-too-large', `The body is longer than ${maxBytes} bytes.`))
    },
  })
  const file = await openNew(path)
  try {
    const sink = file.createWriteStream({ flush: true })
    await pipeline(body, counter, sink, ...(signal ? [{ signal }] : []))
    return bytes
  } catch (error) {
    await file.close().catch(() => {})
    await removeSpooled(path)
    throw signal?.aborted === true ? signal.reason : diskError(error)
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    await makePrivateFolder(dirname(path))
    return await open(path, 'wx', 0o600)
  } catch (error) {
    throw diskError(error)
  }
}

/** An existing folder that other users may write to could have been replaced by one of theirs. */
async function makePrivateFolder(folder: string): Promise<void> {
  await makeFolder(dirname(folder))
  try {
    await mkdir(folder, 0o700)
    return
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const found = await lstat(folder)
  const me = process.getuid?.()
  if (!found.isDirectory()) throw unavailable('it is no folder')
  if (me !== undefined && found.uid !== me) throw unavailable('it belongs to another user')
  if ((found.mode & 0o022) !== 0) throw unavailable('others may write to it')
}

/** A file that can't be removed now is removed as a leftover at the next start. */
export const removeSpooled = (path: string): Promise<void> => rm(path, { force: true }).catch(() => {})

export const isSpooledHere = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isFile(),
    () => false,
  )

/** The ids of the jobs whose files are in the folder. */
export async function spooledJobs(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .filter(isUuid)
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/** Turns errors of the disk that the operator can fix into messages; the path stays in the log. */
function diskError(error: unknown): unknown {
  const code = codeOf(error)
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return unavailable('there is no space left', error)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'ENOENT':
    case 'EIO':
    case 'EMFILE':
    case 'ENFILE':
      return unavailable(`the system says ${code}`, error)
    default:
      return error
  }
}

const unavailable = (why: string, cause?: unknown): DomainError =>
  new DomainError('unavailable', `The body can't be stored in the folder of LINEBOOK_SPOOL_DIR: ${why}.`, { cause })
