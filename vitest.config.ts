import { defineConfig } from 'vitest/config'

const RACES = 'test/postgres/**/*.test.ts'

/** The behaviour tests run once per engine; what only a server can show (races) runs on PostgreSQL alone. */
export default defineConfig({
  test: {
    pool: 'forks',
    // Every processor: by default one is left idle.
    maxWorkers: '100%',
    // Files share a process and what it has loaded; none of them changes modules or the process's environment.
    isolate: false,
    // Each test makes a server, most of which is soon garbage: collecting it more rarely saves a fifth of its time.
    execArgv: ['--max-semi-space-size=32'],
    // Bounds for what hangs, not for what is slow: whoever waits for a condition has the patience of a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    globalSetup: ['test/fixtures/global-setup.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'pglite', include: ['test/behaviour/**/*.test.ts'], provide: { engine: 'pglite' } },
      },
      // All that runs on a server; `npm test` takes the races of it, CI all, on the oldest server and on the newest.
      {
        extends: true,
        test: {
          name: 'postgres',
          include: ['test/behaviour/**/*.test.ts', RACES],
          provide: { engine: 'postgres' },
        },
      },
      { extends: true, test: { name: 'races', include: [RACES], provide: { engine: 'postgres' } } },
      {
        extends: true,
        test: { name: 'acceptance', include: ['test/acceptance/**/*.test.ts'] },
      },
      {
        extends: true,
        // Long, since killing and starting programs takes its time; not part of `npm test`, but of CI.
        test: { name: 'crash', include: ['test/crash/**/*.test.ts'], isolate: true },
      },
    ],
  },
})
