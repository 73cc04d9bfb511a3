import { Owners } from '../../src/identity/owners.js';
import { IdentityReader, type ProcessIdentity } from '../../src/identity/process-identity.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { readPath } from '../../src/linux/procfs.js';
import type { Metric, Resource, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import * as metrics from './metrics.js';
import type { ContextKind, DeviceRow, ProcessMemory, ProcessSample, ProcessUsage } from './protocol.js';

/** Whether a process moved to another cgroup is looked at so often, in scans. */
const lookAgainAfter = 30;

/** The part of a sample that each series of usage takes. */
const usageColumns: readonly (readonly [Metric, task: string, of: (sample: ProcessSample) => number])[] = [
  [metrics.processTime, 'general', ({ sm }) => sm],
  [metrics.processTime, 'encoder', ({ encoder }) => encoder],
  [metrics.processTime, 'decoder', ({ decoder }) => decoder],
  [metrics.processUtilization, 'general', ({ sm }) => sm],
  [metrics.processUtilization, 'memory', ({ memory }) => memory],
  [metrics.processUtilization, 'encoder', ({ encoder }) => encoder],
  [metrics.processUtilization, 'decoder', ({ decoder }) => decoder],
];
const timeColumns = 3;

const idle: ProcessSample = { pid: 0, sm: 0, memory: 0, encoder: 0, decoder: 0 };

/** A process as procfs knows it. */
interface KnownProcess {
  readonly startTicks: number;
  identity: ProcessIdentity;
  resource: Resource;
  lookedAt: number;
}

/** What is published of one process on one device. */
class Account {
  readonly resource: Resource;
  readonly #device: string;
  readonly #values = new Float64Array(usageColumns.length);
  readonly #memory = new Map<ContextKind, Series>();
  #memorySeries: readonly Series[] = [];
  #usageSeries: readonly Series[] = [];
  #usageAt = 0n;
  seenAt = 0;

  constructor(resource: Resource, device: string) {
    this.resource = resource;
    this.#device = device;
  }

  get series(): readonly Series[] {
    return [...this.#usageSeries, ...this.#memorySeries];
  }

  /** Books a window at whose end the row is, and in which the process did what the sample says all the time. */
  takeUsage(sample: ProcessSample, { from, to }: { readonly from: bigint; readonly to: bigint }): Table {
    if (this.#usageSeries.length === 0) this.#usageSeries = this.#createUsageSeries(from);
    const seconds = Number(to - from) / 1e9;
    usageColumns.forEach(([, , of], i) => {
      const share = of(sample) / 100;
      this.#values[i] = i < timeColumns ? this.#values[i] + share * seconds : share;
    });
    // The clock with which samples are stamped may be corrected between them.
    this.#usageAt = to > this.#usageAt ? to : this.#usageAt + 1n;
    return createRow(this.#usageSeries, this.#usageAt, this.#values.slice());
  }

  takeMemory(contexts: readonly ProcessMemory[], at: bigint): Table {
    const isKnown = contexts.every(({ context }) => this.#memory.has(context));
    if (!isKnown) this.#addContexts(contexts, at);
    const values = this.#memorySeries.map((series) => {
      const own = contexts.filter(({ context }) => this.#memory.get(context) === series);
      return own.reduce((sum, { bytes }) => sum + bytes, 0);
    });
    return createRow(this.#memorySeries, at, Float64Array.from(values));
  }

  #addContexts(contexts: readonly ProcessMemory[], start: bigint): void {
    for (const { context } of contexts) {
      if (this.#memory.has(context)) continue;
      const attributes = { 'hw.id': this.#device, 'hw.gpu.context': context };
      this.#memory.set(context, {
        metric: metrics.processMemory,
        resource: this.resource,
        attributes,
        start,
      });
    }
    this.#memorySeries = [...this.#memory.values()];
  }

  #createUsageSeries(start: bigint): readonly Series[] {
    return usageColumns.map(([metric, task]) => {
      const attributes = { 'hw.id': this.#device, 'hw.gpu.task': task };
      return { metric, resource: this.resource, attributes, start };
    });
  }
}

export interface AccountOptions {
  readonly procfs: string;
  readonly passwd: string;
  /** Notified once of processes that procfs does not have. */
  onForeign(pid: number): void;
}

/** Who uses the GPUs: GPU time by the samples' own timestamps, and memory. */
export class ProcessAccounts {
  readonly #options: AccountOptions;
  readonly #identities: IdentityReader;
  readonly #stat = new ProcessStat();
  readonly #buffer = Buffer.allocUnsafeSlow(4096);
  readonly #processes = new Map<number, KnownProcess>();
  /** By device and pid. */
  readonly #accounts = new Map<string, Map<number, Account>>();
  #scan = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
    const owners = new Owners(options.passwd);
    this.#identities = new IdentityReader({ procfs: options.procfs, owners, hasCommandLine: false });
  }

  /** Looks again, at the first table of this scan, who each process is. */
  beginScan(): void {
    this.#scan += 1;
  }

  /**
   * What the processes of a device did.
   * @param toWall makes Unix time of CLOCK_MONOTONIC, nanoseconds both
   */
  *take({ id, atNs, usage, memory }: DeviceRow, toWall: (monotonicNs: bigint) => bigint): Iterable<Table> {
    const at = toWall(atNs);
    const accounts = this.#accountsOf(id);
    const contexts = groupByProcess(memory ?? []);
    for (const [pid, list] of contexts) {
      const account = yield* this.#find(accounts, { device: id, pid, at });
      if (account) yield account.takeMemory(list, at);
    }
    if (usage) yield* this.#takeUsage(id, accounts, { usage, at, toWall });
    if (memory) yield* this.#endGone(accounts, at);
  }

  /** Ends everything that is published of the processes of a device. */
  end(id: string): readonly Series[] {
    const series = [...(this.#accounts.get(id)?.values() ?? [])].flatMap((account) => account.series);
    this.#accounts.delete(id);
    return series;
  }

  /** Forgets processes that no device has any more. */
  endScan(): void {
    const accounts = [...this.#accounts.values()];
    for (const pid of this.#processes.keys()) {
      if (!accounts.some((one) => one.has(pid))) this.#processes.delete(pid);
    }
  }

  *#takeUsage(
    device: string,
    accounts: Map<number, Account>,
    { usage, at, toWall }: { usage: ProcessUsage; at: bigint; toWall: (monotonicNs: bigint) => bigint },
  ): Iterable<Table> {
    const window = { from: toWall(usage.fromNs), to: toWall(usage.toNs) };
    const active = new Set<number>();
    for (const sample of usage.samples) {
      // A process that has ended since is still known by its account.
      const account =
        accounts.get(sample.pid) ?? (yield* this.#find(accounts, { device, pid: sample.pid, at }));
      if (!account || active.has(sample.pid)) continue;
      active.add(sample.pid);
      account.seenAt = this.#scan;
      yield account.takeUsage(sample, window);
    }
    for (const [pid, account] of accounts) if (!active.has(pid)) yield account.takeUsage(idle, window);
  }

  /** The account of a process. Where another process has its pid now, or it is in another cgroup, a new one. */
  *#find(
    accounts: Map<number, Account>,
    { device, pid, at }: { readonly device: string; readonly pid: number; readonly at: bigint },
  ): Generator<Table, Account | undefined> {
    const process = this.#readProcess(pid);
    const known = accounts.get(pid);
    if (process === undefined) {
      if (known === undefined) this.#options.onForeign(pid);
      return known;
    }
    const account = known?.resource === process.resource ? known : new Account(process.resource, device);
    if (known && known !== account && known.series.length > 0) yield createEnding(known.series, at);
    accounts.set(pid, account);
    account.seenAt = this.#scan;
    return account;
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

  #accountsOf(device: string): Map<number, Account> {
    const accounts = this.#accounts.get(device) ?? new Map<number, Account>();
    this.#accounts.set(device, accounts);
    return accounts;
  }

  /** @returns undefined where procfs does not have it: it has ended, or is of another pid namespace */
  #readProcess(pid: number): KnownProcess | undefined {
    const known = this.#processes.get(pid);
    if (known?.lookedAt === this.#scan) return known;
    const stat = this.#readStat(pid);
    if (stat === undefined) return undefined;
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

  #readStat(pid: number): ProcessStat | undefined {
    try {
      const length = readPath(`${this.#options.procfs}/${pid}/stat`, this.#buffer);
      return this.#stat.parse(this.#buffer, length) ? this.#stat : undefined;
    } catch {
      return undefined;
    }
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
