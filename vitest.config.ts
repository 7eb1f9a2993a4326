import { defineConfig } from 'vitest/config'

const RACES = 'test/postgres/**/*.test.ts'

/** The behaviour tests run on either engine; what only a server can show (races) runs on PostgreSQL alone. */
export default defineConfig({
  test: {
    pool: 'forks',
    // Every processor: by default one is left idle.
    maxWorkers: '100%',
    // Files share a process and what it has loaded; none of them changes modules or the process's environment.
    isolate: false,
    // Each test makes a server, most of which is soon garbage: collecting it more rarely saves a fifth of its time.
    execArgv: ['--max-semi-space-size=64', '--single-threaded-gc'],
    // Bounds for what hangs, not for what is slow: whoever waits for a condition has the patience of a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    globalSetup: ['test/fixtures/global-setup.ts'],
    projects: [
      // One project, and so one copy of the program in a process, whatever the kind of test.
      {
        extends: true,
        test: {
          name: 'everyday',
          include: ['test/{unit,behaviour,acceptance}/**/*.test.ts', RACES],
          provide: { engine: 'pglite' },
        },
      },
      // All that runs on a server; CI takes it on the oldest and on the newest.
      {
        extends: true,
        test: {
          name: 'postgres',
          include: ['test/behaviour/**/*.test.ts', RACES],
          provide: { engine: 'postgres' },
        },
      },
      // Long, since killing and starting programs takes its time; not part of `npm test`, but of CI.
      { extends: true, test: { name: 'crash', include: ['test/crash/**/*.test.ts'], isolate: true } },
    ],
  },
})
