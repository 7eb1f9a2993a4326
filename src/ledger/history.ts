/** On whose behalf something happens to a number, when, and why; what its line of history says. */
export interface Cause {
  at: Date
  /** `resource:{name}`, `account:{name}`, `operator` (the command line) or `system` (time). */
  actor: string
  /** The operation, search or command behind it, e.g. `purchase_{id}`. */
  reason: string
}
