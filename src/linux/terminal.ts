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
