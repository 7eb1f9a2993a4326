import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'cli', 'linebook.js')
const BARE_HANDLER = fileURLToPath(new URL('bare-handler.js', import.meta.url))
const START_LIMIT_MS = 60_000

/** Settings of a server that has a database of its own and nothing that isn't measured. */
export const HTTP_ONLY = {
  LINEBOOK_HTTP_PORT: '0',
  LINEBOOK_HTTPS_PORT: '',
  LINEBOOK_SEED_STOCK: 'off',
  LINEBOOK_LOG_LEVEL: 'warn',
}

/**
 * A server in a process of its own.
 * @typedef {object} Service
 * @property {number} port of its HTTP listener
 * @property {string} key access key
 * @property {number} readyMs from the start of the process to the line that says it is ready
 * @property {() => Promise<number>} peakMemoryMb most memory that the process has ever had resident
 * @property {() => Promise<void>} stop
 */

/** `linebook serve`. @param {Record<string, string>} env @param {string[]} [flags] */
export const startLinebook = (env, flags = []) => startService([...nodeFlags(), CLI, 'serve', ...flags], env)

/** The handler that Linebook is compared with. @param {Record<string, string>} env */
export const startBareHandler = (env) => startService([BARE_HANDLER], env)

/**
 * Runs another command of the program to its end.
 * @param {string[]} args @param {Record<string, string>} env
 * @returns {Promise<{ ms: number, peakMemoryMb: number, output: string }>}
 */
export async function runLinebook(args, env) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [CLI, ...args], { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text))
  let peak = 0
  const timer = setInterval(() => void peakMemoryMb(child.pid).then((now) => (peak = now), ignore), 100)
  const [code] = await once(child, 'close')
  clearInterval(timer)
  if (code !== 0) throw new Error(`linebook ${args.join(' ')} ended with exit code ${code}:\n${output}`)
  return { ms: performance.now() - startedAt, peakMemoryMb: peak, output }
}

/** For profiles of the server: BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=…' npm run bench -- search */
const nodeFlags = () => (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '')

/** The environment's own settings don't reach the server that is measured. */
const cleanEnv = (env) => {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(LINEBOOK_|PG|DATABASE_URL$|NODE_)/.test(name))
  return { ...Object.fromEntries(inherited), ...env }
}

/** @returns {Promise<Service>} */
async function startService(args, env) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, args, { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'inherit'] })
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  try {
    const text = await readUntilReady(child)
    const readyMs = performance.now() - startedAt
    const port = Number(/http:\/\/[^/\s]*:(\d+)/.exec(text)?.[1])
    const key = /accesskey=(\S+)/.exec(text)?.[1] ?? ''
    return { port, key, readyMs, stop, peakMemoryMb: () => peakMemoryMb(child.pid) }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The greeting is one write, which may arrive in pieces. */
async function readUntilReady(child) {
  let text = ''
  const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS)
  try {
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      text += chunk
      if (text.includes(' is ready') && text.includes('accesskey=') && text.endsWith('\n')) {
        child.stdout.resume()
        return text
      }
    }
  } finally {
    clearTimeout(timer)
  }
  throw new Error(`The server ended, or was not ready within ${START_LIMIT_MS / 1000} s:\n${text}`)
}

/** VmHWM, which only Linux reports; NaN elsewhere. */
async function peakMemoryMb(pid) {
  if (process.platform !== 'linux') return NaN
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

const ignore = () => {}
