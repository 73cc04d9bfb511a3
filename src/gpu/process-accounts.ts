import { IdentityReader, type IdentityOptions, type ProcessIdentity } from '../identity/process-identity.js';
import { ProcessStat } from '../linux/process-stat.js';
import { findOrAdd } from '../model/plan.js';
import type { Resource, Series } from '../model/series.js';
import { createEnding, type Table } from '../model/table.js';
import { Account, DeviceAccounts, idle, type WallWindow } from './account.js';
import type { Device, DeviceRow, ProcessMemory, ProcessSample } from './protocol.js';

/** How often, in scans, a process is checked for a move to another cgroup. */
const lookAgainAfter = 30;

/** A process in procfs. */
interface KnownProcess {
  readonly startTicks: number;
  identity: ProcessIdentity;
  resource: Resource;
  lookedAt: number;
}

export interface AccountOptions extends Omit<IdentityOptions, 'hasCommandLine'> {
  /** The machine. */
  readonly host: Resource;
  /** Called for processes that use a GPU for some time and are not in procfs. */
  onForeign(pid: number): void;
}

/** GPU use by process: GPU time from the samples' own timestamps, and memory. */
export class ProcessAccounts {
  readonly #options: AccountOptions;
  readonly #identities: IdentityReader;
  readonly #stat = new ProcessStat();
  readonly #processes = new Map<number, KnownProcess>();
  readonly #devices = new Map<string, DeviceAccounts>();
  /** Processes that are not in procfs, and the last scan that missed them. */
  readonly #foreign = new Map<number, number>();
  #scan = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#identities = new IdentityReader({ ...options, hasCommandLine: false });
  }

  /** Starts a scan: processes are identified again at its first table. */
  beginScan(): void {
    this.#identities.refreshOwners();
    this.#scan += 1;
  }

  /**
   * The activity of a device's processes: a row for each, then one for all, which closes the window.
   * @param toWall converts CLOCK_MONOTONIC to Unix time, both in nanoseconds
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
    if (memory === undefined) yield* createMemoryGaps(accounts.byPid, at);
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

  /** Ends the series of a device's processes. */
  end(id: string): readonly Series[] {
    const series = this.#devices.get(id)?.series ?? [];
    this.#devices.delete(id);
    return series;
  }

  /** Forgets processes that are on no device any more. */
  endScan(): void {
    const devices = [...this.#devices.values()];
    for (const pid of this.#processes.keys()) {
      if (!devices.some(({ byPid }) => byPid.has(pid))) this.#processes.delete(pid);
    }
    for (const [pid, seenAt] of this.#foreign) if (seenAt < this.#scan) this.#foreign.delete(pid);
  }

  /**
   * Adds the samples of a window. A process without a context is not looked up: in a pid namespace, the driver
   * hides the contexts of other namespaces but has samples with host pids.
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

  /** The account of a process. A new one if its pid was reused, or its cgroup changed. */
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

  /** A process that is missing in a single scan has just ended. */
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

  /** @returns undefined if procfs does not have it: it has ended, or is in another pid namespace */
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

function* createMemoryGaps(accounts: ReadonlyMap<number, Account>, at: bigint): Iterable<Table> {
  for (const account of accounts.values()) {
    const gap = account.createMemoryGap(at);
    if (gap) yield gap;
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
