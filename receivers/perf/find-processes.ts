import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readExecutable } from '../../src/identity/executable.js';
import {
  IdentityReader,
  type IdentityOptions,
  type ProcessIdentity,
} from '../../src/identity/process-identity.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { readRegularText } from '../../src/linux/regular-file.js';
import type { Attributes } from '../../src/model/series.js';

/** A running process. */
export interface FoundProcess {
  readonly pid: number;
  /** Its start, in ticks after boot. */
  readonly startTicks: number;
  /** The attributes of its resource: the same object until its program, user or cgroup changes. */
  readonly attributes: Attributes;
}

/** Which processes are selected: by pid, or by name or full path of their executable. */
export interface ProcessSelection {
  readonly pids: readonly number[];
  readonly names: readonly string[];
}

interface KnownProcess extends FoundProcess {
  readonly identity: ProcessIdentity;
}

/** Searches processes repeatedly. */
export class ProcessFinder {
  readonly #procfs: string;
  readonly #identity: IdentityReader;
  readonly #stat = new ProcessStat();
  #known: ReadonlyMap<number, KnownProcess> = new Map();

  constructor(options: Omit<IdentityOptions, 'hasCommandLine'>) {
    this.#procfs = options.procfs;
    this.#identity = new IdentityReader({ ...options, hasCommandLine: false });
  }

  /** The selected processes that are running. */
  find({ pids, names }: ProcessSelection): readonly FoundProcess[] {
    this.#identity.refreshOwners();
    const wanted = new Set(names);
    const byName =
      wanted.size === 0 ? [] : listPids(this.#procfs).filter((pid) => isNamed(pid, wanted, this.#procfs));
    const all = [...new Set([...pids, ...byName])].toSorted((a, b) => a - b);
    const found = all.flatMap((pid) => this.#read(pid) ?? []);
    this.#known = new Map(found.map((each) => [each.pid, each]));
    return found;
  }

  #read(pid: number): KnownProcess | undefined {
    const stat = this.#readStat(pid);
    if (stat === undefined) return undefined;
    const { startTicks } = stat;
    const known = this.#known.get(pid);
    const identity =
      known?.startTicks === startTicks
        ? this.#identity.readAgain(pid, stat, known.identity)
        : this.#identity.read(pid, stat);
    return { pid, startTicks, attributes: identity.attributes, identity };
  }

  /** Undefined if it has ended. */
  #readStat(pid: number): ProcessStat | undefined {
    const isThere = this.#stat.read(join(this.#procfs, String(pid))) && !this.#stat.isZombie;
    return isThere ? this.#stat : undefined;
  }
}

function listPids(procfs: string): readonly number[] {
  return readdirSync(procfs)
    .map(Number)
    .filter((pid) => pid > 0);
}

/** The kernel truncates the name of a process to 15 bytes; that of the executable is complete, if it is readable. */
function isNamed(pid: number, wanted: ReadonlySet<string>, procfs: string): boolean {
  const { path } = readExecutable(join(procfs, String(pid)));
  if (path !== undefined && (wanted.has(path) || wanted.has(basename(path)))) return true;
  const name = tryRead(() => readRegularText(join(procfs, String(pid), 'comm')))?.trimEnd();
  return name !== undefined && wanted.has(name);
}

function tryRead<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
