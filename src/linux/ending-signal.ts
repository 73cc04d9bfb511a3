import { ProcessStat } from './process-stat.js';

/** The controlling terminal of this process. */
export interface Terminal {
  /** Whether this process belongs to the group that the terminal's keys signal. */
  readonly isForeground: boolean;
}

/** @returns undefined where this process has no controlling terminal (any more), or /proc is not mounted */
export function readTerminal(): Terminal | undefined {
  const stat = new ProcessStat();
  if (!stat.read('/proc/self') || stat.terminal === 0) return undefined;
  return { isForeground: stat.processGroup === stat.foregroundGroup };
}

/** The shell of a terminal that has gone passes SIGHUP on, which the kernel has sent already. */
const hangUpCopiedWithinMs = 1000;
/** npm passes on a Ctrl-C that the terminal has sent to the whole process group. Measured: within 1 ms. */
const npmCopiesWithinMs = 250;
/** timeout(1) signals its child, and at once the group in which that is. */
const copiedWithinMs = 20;

/** Recognises the copies of a signal that programs between the user and this one send. */
export class RepeatedSignal {
  readonly #isUnderNpm: boolean;
  #first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#isUnderNpm = env['npm_lifecycle_event'] !== undefined;
  }

  /**
   * Takes note of a signal that asks to end.
   * @returns whether another one had asked before, of which this one is no copy: end at once
   */
  note(signal: NodeJS.Signals, nowMs = performance.now()): boolean {
    const first = (this.#first ??= { signal, atMs: nowMs });
    return first.signal !== signal || nowMs - first.atMs > this.#findWindowMs(signal);
  }

  #findWindowMs(signal: NodeJS.Signals): number {
    if (signal === 'SIGHUP') return hangUpCopiedWithinMs;
    return this.#isUnderNpm ? npmCopiesWithinMs : copiedWithinMs;
  }
}
