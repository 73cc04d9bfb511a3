import { ProcessStat } from './process-stat.js';

/** The controlling terminal of this process. */
export interface Terminal {
  /** Whether this process is in the terminal's foreground process group. */
  readonly isForeground: boolean;
}

/** @returns undefined if this process has no controlling terminal, or /proc is not mounted */
export function readTerminal(): Terminal | undefined {
  const stat = new ProcessStat();
  if (!stat.read('/proc/self') || stat.terminal === 0) return undefined;
  return { isForeground: stat.processGroup === stat.foregroundGroup };
}

/** The shell of a closed terminal forwards SIGHUP, which the kernel has already sent. */
const hangUpCopiedWithinMs = 1000;
/** npm forwards a Ctrl-C that the terminal has sent to the whole process group. Measured: within 1 ms. */
const npmCopiesWithinMs = 250;
/** timeout(1) signals its child, and immediately afterwards the child's process group. */
const copiedWithinMs = 20;

/** Recognizes copies of a signal sent by programs between the user and this one. */
export class RepeatedSignal {
  readonly #isUnderNpm: boolean;
  #first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#isUnderNpm = env['npm_lifecycle_event'] !== undefined;
  }

  /**
   * Records an ending signal.
   * @returns whether this is a second request, not a copy of the first: end at once
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
