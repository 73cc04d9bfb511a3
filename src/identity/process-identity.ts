import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { readBootTimeNs } from '../linux/clocks.js';
import type { ProcessStat } from '../linux/process-stat.js';
import { readPath, tickNs } from '../linux/procfs.js';
import { readRegularText } from '../linux/regular-file.js';
import { findOrAdd } from '../model/plan.js';
import { ATTR_PROCESS_LINUX_CGROUP, ATTR_PROCESS_OWNER } from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';
import { readBootInstantNs } from './boot-instant.js';
import { identifyCgroup } from './cgroup.js';
import { isSameProgram, readExecutable, type Executable } from './executable.js';
import { Owners } from './owners.js';
import { describeProcess, recallProcess, type ProcessDescription } from './process-attributes.js';
import { ServiceReader } from './service.js';

/** Settings of receivers that describe processes. */
export const identitySettings = {
  passwd: {
    doc: 'File from which user names are read, in the format of /etc/passwd.',
    format: 'path',
    default: '/etc/passwd',
  },
  service: {
    doc: 'Whether to add the service of each process, read from the process context that it publishes or from its environment (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES).',
    format: 'boolean',
    default: true,
  },
} as const;

/** Where and how the identity of processes is read. */
export interface IdentityOptions {
  readonly procfs: string;
  /** File of the names of users, in the format of passwd(5). */
  readonly passwd: string;
  readonly hasCommandLine: boolean;
  /** Whether to look for the service that a process is part of. */
  readonly service: boolean;
  /** Called when `passwd` becomes unreadable; only the names of new users are then missing. */
  onUnreadable?(message: string): void;
  /** Called for each malformed process context or environment. */
  onMalformed?(): void;
}

/** The identity of a process. */
export interface ProcessIdentity {
  /** The attributes of its resource. */
  readonly attributes: Attributes;
  /** The attributes of the service that it is part of; undefined: not known yet. */
  readonly service: Attributes | undefined;
  readonly executable: Executable;
  /** The kernel's name of its main thread (comm) at the last look. */
  readonly threadName: Uint8Array;
  /** CLOCK_BOOTTIME in nanoseconds at the first look at this program. */
  readonly knownSinceNs: bigint;
  /** Whether the program itself published the service: that is final. */
  readonly hasContext: boolean;
}

/**
 * A program publishes its process context after its start, rarely before this age; most processes never get
 * that old.
 */
const contextAfterNs = 900_000_000n;
/** After this time the service of a program is final: a process without one is no longer checked. */
const contextWithinNs = 120_000_000_000n;

const maxCommandLine = 4096;
/** More than most machines have at a time. */
const maxThreadNames = 1000;
const buffer = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Reads the identity of processes. Every component that publishes process data uses this, so that a process
 * always has the same resource.
 */
export class IdentityReader {
  readonly #options: IdentityOptions;
  readonly #owners: Owners;
  readonly #services: ServiceReader | undefined;
  readonly #bootNs: bigint;
  readonly #threadNames = new Map<string, ThreadName>();

  constructor(options: IdentityOptions) {
    this.#options = options;
    this.#owners = new Owners(options.passwd, (message) => options.onUnreadable?.(message));
    this.#services = options.service ? new ServiceReader(() => options.onMalformed?.()) : undefined;
    this.#bootNs = readBootInstantNs(options.procfs);
  }

  /** Checks whether the names of users have changed. */
  refreshOwners(): void {
    this.#owners.refresh();
  }

  /** A user's name, or the number if there is none. */
  nameOwner(uid: number): string {
    return this.#owners.nameOf(uid);
  }

  /**
   * Reads a process for the first time. Unreadable parts are left out.
   * @param stat of this process, just read
   */
  read(pid: number, stat: ProcessStat): ProcessIdentity {
    return this.#read(pid, stat, readExecutable(this.#folderOf(pid)));
  }

  /**
   * Reads it again. Its parent may have changed, since orphans get a new one, and the program may have changed
   * its main thread's name and arguments: it is still the same process.
   * @param stat of this process, just read
   * @returns the same attributes, as an object, unless it became another program, user's or cgroup's, or its
   * service became known: by a process context, which is accepted once and only within two minutes after the
   * first look, or by an environment that was not there yet at the first look
   */
  readAgain(pid: number, stat: ProcessStat, before: ProcessIdentity): ProcessIdentity {
    if (stat.isZombie || stat.isKernelThread) return before;
    const executable = readExecutable(this.#folderOf(pid));
    const isRenamed = !stat.isNamed(before.threadName);
    if (!isSameProgram(before.executable, executable, isRenamed))
      return this.#read(pid, stat, executable, recallProcess(before.attributes));
    const nowNs = readBootTimeNs();
    const isDue = nowNs - before.knownSinceNs < contextWithinNs;
    const context = isDue && !before.hasContext && isGrown(stat, nowNs) ? this.#readContext(pid) : undefined;
    const isNew = isDue && before.service === undefined;
    const service = context ?? (isNew ? this.#readEnvironment(pid) : undefined);
    const attributes = update(before, this.#readMembership(pid), service);
    // In the same order as in `#read`, so that V8 gives both objects the same hidden class.
    return {
      attributes,
      service: attributes === before.attributes ? before.service : (service ?? before.service),
      // A process that is about to exit has no executable any more.
      executable: executable.path === undefined ? before.executable : executable,
      threadName: isRenamed ? this.#shareName(stat.copyName()).bytes : before.threadName,
      knownSinceNs: before.knownSinceNs,
      hasContext: before.hasContext || context !== undefined,
    };
  }

  #folderOf(pid: number): string {
    return `${this.#options.procfs}/${pid}`;
  }

  /** @param before the owner and cgroup of an earlier program, which are kept if they cannot be read: the process is ending */
  #read(
    pid: number,
    stat: ProcessStat,
    executable: Executable,
    before?: Pick<ProcessDescription, 'owner' | 'cgroup'>,
  ): ProcessIdentity {
    const { isKernelThread, parentPid } = stat;
    const { bytes: threadName, text: comm } = this.#shareName(stat.copyName());
    const bornNs = this.#bootNs + BigInt(stat.startTicks) * BigInt(tickNs);
    const knownSinceNs = readBootTimeNs();
    const context = isGrown(stat, knownSinceNs) ? this.#readContext(pid) : undefined;
    const { owner, cgroup } = this.#readMembership(pid);
    const service = isKernelThread ? undefined : (context ?? this.#readEnvironment(pid));
    const attributes = describeProcess({
      pid,
      bornNs,
      parentPid,
      isKernelThread,
      owner: owner ?? before?.owner,
      cgroup: cgroup ?? before?.cgroup,
      name: isKernelThread ? nameKernelThread(comm) : (executable.name ?? comm),
      path: isKernelThread ? undefined : executable.path,
      threadName: isKernelThread ? undefined : comm,
      commandLine: isKernelThread ? undefined : this.#readCommandLine(pid),
      service,
    });
    return {
      attributes,
      service,
      executable,
      threadName,
      knownSinceNs,
      hasContext: context !== undefined,
    };
  }

  /** One object for all main threads with the same name. */
  #shareName(name: Uint8Array): ThreadName {
    const bytes = Buffer.from(name);
    if (this.#threadNames.size >= maxThreadNames) this.#threadNames.clear();
    return findOrAdd(this.#threadNames, bytes.toString('latin1'), () => ({
      bytes: name,
      text: bytes.toString('utf8'),
    }));
  }

  #readContext(pid: number): Attributes | undefined {
    return this.#services?.readContext(this.#folderOf(pid));
  }

  #readEnvironment(pid: number): Attributes | undefined {
    return this.#services?.readEnvironment(this.#folderOf(pid));
  }

  #readMembership(pid: number): Membership {
    const folder = this.#folderOf(pid);
    return {
      // The folder belongs to the effective user, even if its files belong to root.
      owner: tryRead(() => this.#owners.nameOf(statSync(folder).uid)),
      cgroup: tryRead(() => identifyCgroup(readText(`${folder}/cgroup`)).line),
    };
  }

  #readCommandLine(pid: number): string | undefined {
    if (!this.#options.hasCommandLine) return undefined;
    return tryRead(() => readRegularText(`${this.#folderOf(pid)}/cmdline`))
      ?.replace(/\0+$/, '')
      .replaceAll('\0', ' ')
      .slice(0, maxCommandLine);
  }
}

/** Whether a process can have published a context by now. */
function isGrown({ isKernelThread, startTicks }: ProcessStat, nowNs: bigint): boolean {
  return !isKernelThread && nowNs - BigInt(startTicks) * BigInt(tickNs) >= contextAfterNs;
}

/** The kernel's name of a thread, and its text in UTF-8. */
interface ThreadName {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** What a process belongs to. */
interface Membership {
  readonly owner: string | undefined;
  readonly cgroup: string | undefined;
}

/**
 * The same attributes if nothing has changed; unreadable parts are unchanged. What they were made from is not kept, since
 * it takes 136 bytes for each process.
 */
function update(
  before: ProcessIdentity,
  { owner, cgroup }: Membership,
  service: Attributes | undefined,
): Attributes {
  const known = before.attributes;
  const isSame =
    (owner === undefined || owner === known[ATTR_PROCESS_OWNER]) &&
    (cgroup === undefined || cgroup === known[ATTR_PROCESS_LINUX_CGROUP]) &&
    (service === undefined || isDeepStrictEqual(service, before.service ?? {}));
  if (isSame) return known;
  const process = recallProcess(known);
  return describeProcess({
    ...process,
    owner: owner ?? process.owner,
    cgroup: cgroup ?? process.cgroup,
    service: service ?? before.service,
  });
}

/** The text of an attribute; none if it is unreadable or the process has just exited. */
function tryRead(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  return buffer.toString('utf8', 0, readPath(path, buffer));
}

/** Kernel workers have their current work in their names: kworker/0:1-events. */
function nameKernelThread(comm: string): string {
  return comm.replace(/^(kworker\/u?\d+:\d+H?)[-+].*$/s, '$1');
}
