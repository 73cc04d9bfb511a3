import { elementAt } from '../../src/element.js';
import { Owners } from '../../src/identity/owners.js';
import { IdentityReader, type ProcessIdentity } from '../../src/identity/process-identity.js';
import { ServiceReader } from '../../src/identity/service.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { readPath } from '../../src/linux/procfs.js';
import { findOrAdd } from '../../src/model/plan.js';
import {
  ATTR_HW_GPU_TASK,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Metric, Resource, Series } from '../../src/model/series.js';
import { gpuTime, processGpuTime } from '../../src/model/shared-metrics.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import * as metrics from './metrics.js';
import type { ContextKind, Device, DeviceRow, ProcessMemory, ProcessSample } from './protocol.js';

/** Whether a process moved to another cgroup is looked at so often, in scans. */
const lookAgainAfter = 30;

/** The part of a sample that each series of usage takes. */
const usageColumns: readonly (readonly [Metric, task: string, of: (sample: ProcessSample) => number])[] = [
  [processGpuTime, 'general', ({ sm }) => sm],
  [processGpuTime, 'encoder', ({ encoder }) => encoder],
  [processGpuTime, 'decoder', ({ decoder }) => decoder],
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
  takeUsage(sample: ProcessSample, { from, to }: WallWindow): Table {
    if (this.#usageSeries.length === 0) this.#usageSeries = this.#createUsageSeries(from);
    const seconds = Number(to - from) / 1e9;
    usageColumns.forEach(([, , of], i) => {
      const share = of(sample) / 100;
      this.#values[i] = i < timeColumns ? elementAt(this.#values, i) + share * seconds : share;
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
      const attributes = { [ATTR_HW_ID]: this.#device, 'hw.gpu.context': context };
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
      const attributes = { [ATTR_HW_ID]: this.#device, [ATTR_HW_GPU_TASK]: task };
      return { metric, resource: this.resource, attributes, start };
    });
  }
}

/** What is published of the processes of one device. */
class DeviceAccounts {
  readonly byPid = new Map<number, Account>();
  readonly #place: Series;
  #total: readonly Series[] = [];
  #seconds = 0;
  #at = 0n;

  constructor({ id, name }: Device, resource: Resource) {
    const attributes = { [ATTR_HW_TYPE]: 'gpu', [ATTR_HW_ID]: id, [ATTR_HW_NAME]: name };
    this.#place = { metric: gpuTime, resource, attributes, start: 0n };
  }

  get series(): readonly Series[] {
    return [...this.byPid.values()].flatMap((account) => account.series).concat(this.#total);
  }

  /** Books a window on the device: what all processes did, those that are not known among them. */
  takeTotal(samples: readonly ProcessSample[], { from, to }: WallWindow): Table {
    if (this.#total.length === 0) this.#total = [{ ...this.#place, start: from }];
    const percent = samples.reduce((sum, { sm, encoder, decoder }) => sum + sm + encoder + decoder, 0);
    this.#seconds += (percent / 100) * (Number(to - from) / 1e9);
    this.#at = to > this.#at ? to : this.#at + 1n;
    return createRow(this.#total, this.#at, Float64Array.of(this.#seconds));
  }
}

/** Unix time in nanoseconds. */
interface WallWindow {
  readonly from: bigint;
  readonly to: bigint;
}

export interface AccountOptions {
  /** The machine. */
  readonly host: Resource;
  readonly procfs: string;
  readonly passwd: string;
  /** Whether it is looked for which service a process is part of. */
  readonly service: boolean;
  /** Notified of processes that use a GPU for a while and that procfs does not have. */
  onForeign(pid: number): void;
}

/** Who uses the GPUs: GPU time by the samples' own timestamps, and memory. */
export class ProcessAccounts {
  readonly #options: AccountOptions;
  readonly #identities: IdentityReader;
  readonly #stat = new ProcessStat();
  readonly #buffer = Buffer.allocUnsafeSlow(4096);
  readonly #processes = new Map<number, KnownProcess>();
  readonly #devices = new Map<string, DeviceAccounts>();
  /** Processes that procfs does not have, and the scan in which that was seen last. */
  readonly #foreign = new Map<number, number>();
  #scan = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
    const owners = new Owners(options.passwd);
    const services = options.service ? new ServiceReader() : undefined;
    this.#identities = new IdentityReader({
      procfs: options.procfs,
      owners,
      hasCommandLine: false,
      services,
    });
  }

  /** Looks again, at the first table of this scan, who each process is. */
  beginScan(): void {
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
      const account = yield* this.#find(accounts.byPid, { device: device.id, pid, at });
      if (account) yield account.takeMemory(list, at);
    }
    if (usage) {
      const window = { from: toWall(usage.fromNs), to: toWall(usage.toNs) };
      yield* this.#takeUsage(accounts.byPid, usage.samples, window);
      yield accounts.takeTotal(usage.samples, window);
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
    { device, pid, at }: { readonly device: string; readonly pid: number; readonly at: bigint },
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
