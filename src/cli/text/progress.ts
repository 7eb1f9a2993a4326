import type { Writable } from 'node:stream'

const BAR_WIDTH = 40
const REDRAW_MS = 100
const CLEAR_LINE = '\r\x1b[2K'

/** `isTTY`: it is one. */
type Terminal = Pick<Writable, 'write'> & { isTTY?: boolean }

/** A bar at the bottom of a terminal, that other lines go above of. Where there is no terminal it is not drawn. */
export class ProgressBar {
  readonly #out: Terminal
  #bar = ''
  #drawnAt = 0

  /** @param out usually process.stderr */
  constructor(out: Terminal) {
    this.#out = out
  }

  /** Moves the bar. `total` 0: not known, nothing to draw. */
  update(done: number, total: number): void {
    const now = Date.now()
    if (!this.#out.isTTY || total === 0 || now - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = now
    const share = Math.min(done / total, 1)
    const filled = Math.round(share * BAR_WIDTH)
    this.#bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %`
    this.#out.write(`\r${this.#bar}`)
  }

  /** Writes a line of its own, above the bar. */
  line(text: string): void {
    this.#out.write(this.#bar === '' ? `${text}\n` : `${CLEAR_LINE}${text}\n${this.#bar}`)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#bar !== '') this.#out.write(CLEAR_LINE)
    this.#bar = ''
  }
}
