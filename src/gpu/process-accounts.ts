import { IdentityReader, type IdentityOptions, type ProcessIdentity } from '../identity/process-identity.js';
import { ProcessStat } from '../linux/process-stat.js';
import { findOrAdd } from '../model/plan.js';
import type { Resource, Series } from '../model/series.js';
import { createEnding, type Table } from '../model/table.js';
import { Account, DeviceAccounts, idle, type WallWindow } from './account.js';
import type { Device, DeviceRow, ProcessMemory, ProcessSample } from './protocol.js';

/** Whether a process moved to another cgroup is looked at so often, in scans. */
const lookAgainAfter = 30;

/** A process as procfs knows it. */
interface KnownProcess {
  readonly startTicks: number;
  identity: ProcessIdentity;
  resource: Resource;
  lookedAt: number;
}

export interface AccountOptions extends Omit<IdentityOptions, 'hasCommandLine'> {
  /** The machine. */
  readonly host: Resource;
  /** Notified of processes that use a GPU for a while and that procfs does not have. */
  onForeign(pid: number): void;
}

/** Who uses the GPUs: GPU time by the samples' own timestamps, and memory. */
export class ProcessAccounts {
  readonly #options: AccountOptions;
  readonly #identities: IdentityReader;
  readonly #stat = new ProcessStat();
  readonly #processes = new Map<number, KnownProcess>();
  readonly #devices = new Map<string, DeviceAccounts>();
  /** Processes that procfs does not have, and the scan in which that was seen last. */
  readonly #foreign = new Map<number, number>();
  #scan = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#identities = new IdentityReader({ ...options, hasCommandLine: false });
  }

  /** Looks again, at the first table of this scan, who each process is. */
  beginScan(): void {
    this.#identities.refreshOwners();
    this.#scan += 1;
  }

  /**
   * What the processes of a device did: a row of each, then one of all, which closes the window.
   * @param toWall makes Unix time of CLOCK_MONOTONIC, nanoseconds both
   */
  *take(
    device: Device,
    { atNs, usage, memory }: DeviceRow,
    toWall: (monotonicNs: bigint) => bigint,
  ): Iterable<Table> {
    const at = toWall(atNs);
    const accounts = findOrAdd(
      this.#devices,
      device.id,
      () => new DeviceAccounts(device, this.#options.host),
    );
    const contexts = groupByProcess(memory ?? []);
    for (const [pid, list] of contexts) {
      const account = yield* this.#find(accounts.byPid, { device, pid, at });
      if (account) yield account.takeMemory(list, at);
    }
    if (usage) {
      const window = { from: toWall(usage.fromNs), to: toWall(usage.toNs) };
      yield* this.#takeUsage(accounts.byPid, usage.samples, window);
      yield accounts.takeTotal(usage, window);
    }
    if (memory) yield* this.#endGone(accounts.byPid, at);
  }

  /** Ends everything that is published of the processes of a device. */
  end(id: string): readonly Series[] {
    const series = this.#devices.get(id)?.series ?? [];
    this.#devices.delete(id);
    return series;
  }

  /** Forgets processes that no device has any more. */
  endScan(): void {
    const devices = [...this.#devices.values()];
    for (const pid of this.#processes.keys()) {
      if (!devices.some(({ byPid }) => byPid.has(pid))) this.#processes.delete(pid);
    }
    for (const [pid, seenAt] of this.#foreign) if (seenAt < this.#scan) this.#foreign.delete(pid);
  }

  /**
   * Books the samples of a window. A process without a context is not looked up: where the collector is in a pid
   * namespace of its own, the driver hides the contexts of others but has samples with their pids in the host's.
   */
  *#takeUsage(
    accounts: Map<number, Account>,
    samples: readonly ProcessSample[],
    window: WallWindow,
  ): Iterable<Table> {
    const active = new Set<Account>();
    for (const sample of samples) {
      // A process that has ended since is still known by its account.
      const account = accounts.get(sample.pid);
      if (account === undefined) this.#noteForeign(sample.pid);
      if (account === undefined || active.has(account)) continue;
      active.add(account);
      account.seenAt = this.#scan;
      yield account.takeUsage(sample, window);
    }
    for (const account of accounts.values()) {
      if (!active.has(account)) yield account.takeUsage(idle, window);
    }
  }

  /** The account of a process. Where another process has its pid now, or it is in another cgroup, a new one. */
  *#find(
    accounts: Map<number, Account>,
    { device, pid, at }: { readonly device: Device; readonly pid: number; readonly at: bigint },
  ): Generator<Table, Account | undefined> {
    const process = this.#readProcess(pid);
    const known = accounts.get(pid);
    if (process === undefined) {
      if (known === undefined) this.#noteForeign(pid);
      return known;
    }
    const account = known?.resource === process.resource ? known : new Account(process.resource, device);
    if (known && known !== account && known.series.length > 0) yield createEnding(known.series, at);
    accounts.set(pid, account);
    account.seenAt = this.#scan;
    return account;
  }

  /** One that is missing in a single scan has just ended. */
  #noteForeign(pid: number): void {
    const seenAt = this.#foreign.get(pid) ?? this.#scan;
    this.#foreign.set(pid, this.#scan);
    if (seenAt < this.#scan) this.#options.onForeign(pid);
  }

  *#endGone(accounts: Map<number, Account>, at: bigint): Iterable<Table> {
    const ended: Series[] = [];
    for (const [pid, account] of accounts) {
      if (account.seenAt === this.#scan) continue;
      accounts.delete(pid);
      ended.push(...account.series);
    }
    if (ended.length > 0) yield createEnding(ended, at);
  }

  /** @returns undefined where procfs does not have it: it has ended, or is of another pid namespace */
  #readProcess(pid: number): KnownProcess | undefined {
    const known = this.#processes.get(pid);
    if (known?.lookedAt === this.#scan) return known;
    const stat = this.#stat;
    if (!stat.read(`${this.#options.procfs}/${pid}`)) return undefined;
    if (known?.startTicks !== stat.startTicks) {
      const identity = this.#identities.read(pid, stat);
      return this.#keep(pid, {
        startTicks: stat.startTicks,
        identity,
        resource: { attributes: identity.attributes },
        lookedAt: this.#scan,
      });
    }
    known.lookedAt = this.#scan;
    if (this.#scan % lookAgainAfter !== 0) return known;
    const identity = this.#identities.readAgain(pid, stat, known.identity);
    if (identity.attributes !== known.identity.attributes)
      known.resource = { attributes: identity.attributes };
    known.identity = identity;
    return known;
  }

  #keep(pid: number, process: KnownProcess): KnownProcess {
    this.#processes.set(pid, process);
    return process;
  }
}

function groupByProcess(contexts: readonly ProcessMemory[]): Map<number, ProcessMemory[]> {
  const groups = new Map<number, ProcessMemory[]>();
  for (const context of contexts) {
    const group = groups.get(context.pid) ?? [];
    group.push(context);
    groups.set(context.pid, group);
  }
  return groups;
}
