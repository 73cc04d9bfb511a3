import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { readPath, tickNs } from '../../src/linux/procfs.js';
import type { Attributes } from '../../src/model/series.js';
import { parseCgroupPath } from './cgroup-path.js';
import type { Owners } from './owners.js';
import type { ProcessStat } from './process-stat.js';

/** Where the identity of processes is read, and how much of it. */
export interface IdentityOptions {
  readonly procfs: string;
  readonly owners: Owners;
  readonly hasCommandLine: boolean;
  /** Unix time, in nanoseconds, of the instant 0 of CLOCK_BOOTTIME. */
  readonly bootWallNs: bigint;
}

const executableName = 'process.executable.name';
const executablePath = 'process.executable.path';

// What a process can change in its life: its parent is not among it, since orphans get another one and stay who
// they are.
const changeable = [
  executableName,
  executablePath,
  'process.owner',
  'process.linux.cgroup',
  'process.command_line',
] as const;

const maxCommandLine = 4096;
const buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Reads who a process is: the attributes of its resource. */
export class IdentityReader {
  readonly #options: IdentityOptions;

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /**
   * Reads the attributes of a process. What may not be read is left out.
   * @param stat of this process, just read
   */
  read(pid: number, stat: ProcessStat): Attributes {
    const folder = `${this.#options.procfs}/${pid}`;
    return {
      'process.pid': pid,
      'process.creation.time': this.#describeBirth(stat.startTicks),
      'process.parent_pid': stat.parentPid,
      [executableName]: describeName(stat),
      ...this.#readOwner(folder),
      ...optional('process.linux.cgroup', () => parseCgroupPath(readText(`${folder}/cgroup`))),
      ...(stat.isKernelThread ? { 'process.linux.kernel_thread': true } : this.#readProgram(folder)),
    };
  }

  /**
   * Reads the attributes again.
   * @returns those of before when the process is still the same
   */
  readAgain(pid: number, stat: ProcessStat, before: Attributes): Attributes {
    const now = this.read(pid, stat);
    const isNamedAsBefore = now[executableName] === before[executableName];
    // A process that is about to end has no executable any more.
    const attributes = isNamedAsBefore ? { ...pick(before, executablePath), ...now } : now;
    return changeable.every((name) => attributes[name] === before[name]) ? before : attributes;
  }

  #describeBirth(startTicks: number): string {
    const bornNs = this.#options.bootWallNs + BigInt(startTicks) * BigInt(tickNs);
    return new Date(Number(bornNs / 1_000_000n)).toISOString();
  }

  #readOwner(folder: string): Attributes {
    // The folder belongs to the effective user, even where the files in it are root's.
    return optional('process.owner', () => this.#options.owners.nameOf(statSync(folder).uid));
  }

  #readProgram(folder: string): Attributes {
    const attributes = optional(executablePath, () => withoutMark(readlinkSync(`${folder}/exe`)));
    if (!this.#options.hasCommandLine) return attributes;
    return { ...attributes, ...optional('process.command_line', () => readCommandLine(folder)) };
  }
}

function pick(attributes: Attributes, name: string): Attributes {
  const value = attributes[name];
  return value === undefined ? {} : { [name]: value };
}

/** The attribute, or none where it may not be read or the process has just ended. */
function optional(name: string, read: () => string): Attributes {
  try {
    return { [name]: read() };
  } catch {
    return {};
  }
}

function readText(path: string): string {
  return buffer.toString('utf8', 0, readPath(path, buffer));
}

function readCommandLine(folder: string): string {
  const text = readFileSync(`${folder}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
  return text.slice(0, maxCommandLine);
}

/** The kernel marks an executable that was replaced on disk. It is still the same program that runs. */
function withoutMark(path: string): string {
  return path.endsWith(' (deleted)') ? path.slice(0, -' (deleted)'.length) : path;
}

function describeName(stat: ProcessStat): string {
  const name = Buffer.from(stat.copyName()).toString('utf8');
  // Workers of the kernel have the work of the moment in their names: kworker/0:1-events.
  return stat.isKernelThread ? name.replace(/^(kworker\/u?\d+:\d+H?)[-+].*$/s, '$1') : name;
}
