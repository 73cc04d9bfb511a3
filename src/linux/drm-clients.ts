import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { findErrorCode } from '../errors.js';
import { parseDrmFdinfo, type DrmFdinfo } from './drm-fdinfo.js';
import { findText } from './sysfs.js';

/** A client of a GPU, and the process that holds it. */
export interface DrmClient extends DrmFdinfo {
  readonly pid: number;
  /** The same in every scan. */
  readonly key: string;
}

/** What is known about a process. */
interface Holder {
  /** Number of open files at the last check; NaN: the kernel does not report it. */
  count: number;
  /** Remaining scans in which it is checked in any case. */
  looksLeft: number;
  /** Descriptors of GPUs, one per client. */
  descriptors: readonly string[];
}

/** A process that has just started may open its GPU soon. */
const looksAtNew = 3;
/**
 * In scans: if the kernel does not report the number of open files of a process, and otherwise, in case one
 * file replaced another.
 */
const [lookAgainAfter, lookAtAllAfter] = [5, 30];

/**
 * Finds the clients of GPUs among the open files of all processes. From Linux 6.2 on the size of `/proc/PID/fd`
 * is the number of open files, so that only processes in which it changed are searched.
 */
export class DrmClients {
  readonly #procfs: string;
  readonly #holders = new Map<number, Holder>();
  /** The process that a client belongs to while it holds it: a descriptor may be passed to others. */
  #owners = new Map<string, number>();
  #scan = 0;
  #unreadable = 0;

  constructor(procfs: string) {
    this.#procfs = procfs;
  }

  /** Processes whose open files could not be read in the last scan, for lack of permission. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /**
   * Reads all clients, each of them once.
   * @throws Error when procfs cannot be listed
   */
  scan(): readonly DrmClient[] {
    this.#scan++;
    this.#unreadable = 0;
    const pids = readdirSync(this.#procfs)
      .filter((name) => /^\d+$/u.test(name))
      .map(Number);
    const present = new Set(pids);
    for (const pid of this.#holders.keys()) if (!present.has(pid)) this.#holders.delete(pid);
    const found = pids.toSorted((a, b) => a - b).flatMap((pid) => this.#readProcess(pid));
    return this.#chooseOwners(found);
  }

  #readProcess(pid: number): DrmClient[] {
    const holder = this.#holders.get(pid) ?? { count: NaN, looksLeft: looksAtNew, descriptors: [] };
    this.#holders.set(pid, holder);
    const count = this.#countFiles(pid);
    const isChanged = count > 0 ? count !== holder.count : this.#scan % lookAgainAfter === 0;
    if (isChanged || holder.looksLeft > 0 || this.#scan % lookAtAllAfter === 0) {
      holder.looksLeft = Math.max(0, holder.looksLeft - 1);
      holder.count = count;
      return this.#lookThrough(pid, holder);
    }
    const clients = holder.descriptors.flatMap((descriptor) => this.#readClient(pid, descriptor) ?? []);
    // One was closed, and another file has its number now.
    return clients.length === holder.descriptors.length ? clients : this.#lookThrough(pid, holder);
  }

  #lookThrough(pid: number, holder: Holder): DrmClient[] {
    const clients = new Map<string, readonly [descriptor: string, client: DrmClient]>();
    for (const descriptor of this.#listDescriptors(pid)) {
      const client = this.#readClient(pid, descriptor);
      if (client && !clients.has(client.key)) clients.set(client.key, [descriptor, client]);
    }
    holder.descriptors = [...clients.values()].map(([descriptor]) => descriptor);
    return [...clients.values()].map(([, client]) => client);
  }

  /** The descriptors of a process that are files of `/dev/dri`. */
  #listDescriptors(pid: number): readonly string[] {
    const folder = `${this.#procfs}/${pid}/fd`;
    try {
      return readdirSync(folder).filter((descriptor) => isGpu(`${folder}/${descriptor}`));
    } catch (error) {
      if (isDenied(error)) this.#unreadable++;
      return [];
    }
  }

  #countFiles(pid: number): number {
    try {
      return statSync(`${this.#procfs}/${pid}/fd`).size;
    } catch {
      return NaN;
    }
  }

  #readClient(pid: number, descriptor: string): DrmClient | undefined {
    const text = findText(`${this.#procfs}/${pid}/fdinfo/${descriptor}`);
    const info = text === undefined ? undefined : parseDrmFdinfo(text);
    if (info === undefined) return undefined;
    // In drivers without ids each descriptor is a client of its own.
    const id = info.clientId ?? `${pid}/${descriptor}`;
    return { ...info, pid, key: `${info.driver} ${info.pciAddress ?? ''} ${id}` };
  }

  /**
   * A client that several processes hold stays with its first holder. Of holders found in the same scan it is
   * the one with the largest pid: systemd-logind opens a GPU for the display server, to which it passes the
   * descriptor, and keeps its own (TakeDevice in org.freedesktop.login1(5)).
   */
  #chooseOwners(found: readonly DrmClient[]): readonly DrmClient[] {
    const chosen = new Map<string, DrmClient>();
    for (const client of found) {
      const other = chosen.get(client.key);
      const isOwned = other !== undefined && other.pid === this.#owners.get(client.key);
      if (!isOwned) chosen.set(client.key, client);
    }
    this.#owners = new Map([...chosen].map(([key, { pid }]) => [key, pid]));
    return [...chosen.values()];
  }
}

function isGpu(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('/dev/dri/');
  } catch {
    // It was closed meanwhile.
    return false;
  }
}

function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(findErrorCode(error) ?? '');
}
