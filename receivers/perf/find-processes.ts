import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A process that runs. */
export interface FoundProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** As the kernel names it. */
  readonly name: string;
  /** When it was born, in ticks after boot: with the pid, its identity. */
  readonly startTicks: number;
}

/** Which processes are wanted: by number, or by name or whole path of their executable. */
export interface ProcessSelection {
  readonly pids: readonly number[];
  readonly names: readonly string[];
}

/** The selected processes that run now. */
export function findProcesses({ pids, names }: ProcessSelection, procfs: string): readonly FoundProcess[] {
  const wanted = new Set(names);
  const byName = wanted.size === 0 ? [] : listPids(procfs).filter((pid) => isNamed(pid, wanted, procfs));
  const all = new Set([...pids, ...byName]);
  return [...all].toSorted((a, b) => a - b).flatMap((pid) => readProcess(pid, procfs) ?? []);
}

function listPids(procfs: string): readonly number[] {
  return readdirSync(procfs)
    .map(Number)
    .filter((pid) => pid > 0);
}

/** The kernel's name of a process is cut after 15 bytes; that of the executable is whole, where it may be read. */
function isNamed(pid: number, wanted: ReadonlySet<string>, procfs: string): boolean {
  const path = tryRead(() => readlinkSync(join(procfs, String(pid), 'exe')))?.replace(/ \(deleted\)$/, '');
  if (path !== undefined && (wanted.has(path) || wanted.has(basename(path)))) return true;
  const name = tryRead(() => readFileSync(join(procfs, String(pid), 'comm'), 'utf8'))?.trimEnd();
  return name !== undefined && wanted.has(name);
}

/** proc_pid_stat(5): the name stands in parentheses and may hold any. Undefined for one that has ended. */
function readProcess(pid: number, procfs: string): FoundProcess | undefined {
  const stat = tryRead(() => readFileSync(join(procfs, String(pid), 'stat'), 'utf8'));
  if (stat === undefined) return undefined;
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  const name = stat.slice(stat.indexOf('(') + 1, end);
  return { pid, name, parentPid: Number(fields[1]), startTicks: Number(fields[19]) };
}

function tryRead(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
