#!/usr/bin/env node
import { processIo } from './io.js'
import { runCommand } from './program.js'

// A reader that has had enough, such as `head`, is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

process.exitCode = await runCommand(process.argv.slice(2), processIo())
