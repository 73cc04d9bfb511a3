import { readFileSync } from 'node:fs';

/** The controlling terminal of this process. */
export interface Terminal {
  /** Whether this process belongs to the group that the terminal's keys signal. */
  readonly isForeground: boolean;
}

/** @returns undefined where this process has no controlling terminal, or none any more (proc_pid_stat(5)) */
export function readTerminal(): Terminal | undefined {
  const stat = readStat();
  if (stat === undefined) return undefined;
  const [, , group, , terminal, foregroundGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return terminal === '0' ? undefined : { isForeground: group === foregroundGroup };
}

/** @returns undefined where /proc is not mounted */
function readStat(): string | undefined {
  try {
    return readFileSync('/proc/self/stat', 'latin1');
  } catch {
    return undefined;
  }
}
