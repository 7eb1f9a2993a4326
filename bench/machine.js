import { cpus, loadavg, totalmem } from 'node:os'

const GIB = 2 ** 30

/** The machine, the runtime and the time, as figures need them beside them. */
export const describeMachine = () =>
  [
    `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${(totalmem() / GIB).toFixed(0)} GiB`,
    `Node ${process.version}, ${process.platform} ${process.arch}`,
    `${new Date().toISOString()}, load ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')} before the run`,
  ].join('\n')
