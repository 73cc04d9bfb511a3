import { BudgetedFile, type DescriptorBudget } from '../../src/linux/budgeted-file.js';
import { noPackage, type CpuPackages } from '../../src/linux/cpu-packages.js';
import { CpuUsage } from '../../src/linux/cpu-usage.js';
import { parseNumbers } from '../../src/linux/procfs.js';
import { ATTR_CPU_PACKAGE } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { cgroupPackageTime } from '../../src/model/usage-metrics.js';
import { Counts } from '../../src/scraping/counts.js';
import { metricsOf, modes } from './cpu-files.js';
import type { FileParser } from './file-reader.js';
import { KeyedLines } from './keyed-lines.js';
import type { Slot, SlotScope } from './slots.js';

const nsPerSecond = 1e9;

interface CpuacctOptions {
  readonly budget: DescriptorBudget;
  readonly isContainer: boolean;
  /** The packages by which CPU time is divided, on a machine with more than one. */
  readonly packages: CpuPackages | undefined;
}

const usage = new Counts(1);
const cpuacctStat = new KeyedLines(['user', 'system']);
const statText = Buffer.allocUnsafeSlow(4096);

/**
 * `cpuacct.usage` of version 1, in nanoseconds. User and system time are in `cpuacct.stat`, in ticks of 10 ms,
 * which is read only when the CPU time has changed.
 */
export class Cpuacct implements FileParser, Slot {
  readonly file = 'cpuacct.usage';
  readonly slots: readonly Slot[] = [this];
  series: readonly Series[] = [];
  values: Float64Array = new Float64Array(0);
  readonly #isContainer: boolean;
  readonly #stat: BudgetedFile;
  /** Set if CPU time is divided by package. */
  readonly #packages: PackageUsage | undefined;
  #usage = new CpuUsage();
  #last = new Counts(1);

  constructor(folder: string, { budget, isContainer, packages }: CpuacctOptions) {
    this.#stat = new BudgetedFile(`${folder}/cpuacct.stat`, budget);
    this.#isContainer = isContainer;
    if (packages) this.#packages = new PackageUsage(folder, budget, packages);
  }

  isSame(text: Buffer): boolean {
    return usage.parseOne(0, text, 0) > 0 && usage.since(this.#last, 0) === 0;
  }

  parse(text: Buffer, _: number, scope: SlotScope): boolean {
    if (usage.parseOne(0, text, 0) < 0) return false;
    // Writing 0 to the file resets it.
    if (usage.since(this.#last, 0) < 0) this.#reset(scope);
    this.#take();
    this.#last.copy(0, usage, 0);
    if (this.series.length === 0) this.#start(scope);
    this.#write();
    return true;
  }

  end(scope: SlotScope): void {
    if (this.series.length === 0) return;
    scope.ended.push(...this.series);
    scope.isChanged = true;
    this.series = [];
    this.values = new Float64Array(0);
  }

  close(): void {
    this.#stat.close();
    this.#packages?.close();
  }

  #reset(scope: SlotScope): void {
    this.end(scope);
    scope.zeroAtNs = undefined;
    this.#usage = new CpuUsage();
    this.#packages?.restart();
  }

  #take(): void {
    const time = { seconds: usage.billions[0], nanoseconds: usage.units[0] };
    if (this.#usage.isAt(time.seconds, time.nanoseconds)) return;
    const length = this.#stat.read(statText);
    const isRead = typeof length === 'number' && cpuacctStat.parse(statText, length) === 2;
    if (isRead) this.#usage.update(time, cpuacctStat.counts.read(0), cpuacctStat.counts.read(1));
    else this.#usage.updateTotal(time);
    this.#packages?.read();
  }

  #start(scope: SlotScope): void {
    const { resource, zeroAtNs, nowNs } = scope;
    if (zeroAtNs === undefined) {
      this.#usage.restart();
      this.#packages?.restart();
    }
    const start = zeroAtNs ?? nowNs;
    const times = metricsOf(this.#isContainer).flatMap((metric) =>
      modes.map((attributes) => ({ metric, resource, attributes, start })),
    );
    const byPackage = (this.#packages?.numbers ?? []).map((number) => {
      return { metric: cgroupPackageTime, resource, attributes: { [ATTR_CPU_PACKAGE]: number }, start };
    });
    this.series = [...times, ...byPackage];
    this.values = new Float64Array(this.series.length);
    scope.isChanged = true;
  }

  #write(): void {
    const { ns = [] } = this.#packages ?? {};
    const times = this.values.length - ns.length;
    for (let i = 0; i < times; i += 2) {
      this.values[i] = this.#usage.userNs / nsPerSecond;
      this.values[i + 1] = this.#usage.systemNs / nsPerSecond;
    }
    for (let i = 0; i < ns.length; i++) this.values[times + i] = ns[i] / nsPerSecond;
  }
}

/** CPU time of each package, from a version 1 file with the CPU time of each CPU. */
class PackageUsage {
  /** Nanoseconds since the start of the series. */
  readonly ns: Float64Array;
  readonly #packages: CpuPackages;
  readonly #file: BudgetedFile;
  readonly #cpus: Float64Array;
  readonly #last: Float64Array;

  constructor(folder: string, budget: DescriptorBudget, packages: CpuPackages) {
    this.#packages = packages;
    this.#file = new BudgetedFile(`${folder}/cpuacct.usage_percpu`, budget);
    this.#cpus = new Float64Array(packages.byCpu.length);
    this.ns = new Float64Array(packages.numbers.length);
    this.#last = new Float64Array(packages.numbers.length);
  }

  get numbers(): readonly number[] {
    return this.#packages.numbers;
  }

  /** CPU time that is not in the file is assigned to no package. */
  read(): void {
    const length = this.#file.read(perCpuText);
    if (typeof length !== 'number') return;
    if (length < perCpuText.length) perCpuText[length] = 0;
    const count = parseNumbers(perCpuText, 0, this.#cpus);
    sums.fill(0);
    for (let cpu = 0; cpu < count; cpu++) sums[this.#packages.byCpu[cpu]] += this.#cpus[cpu];
    for (let i = 0; i < this.ns.length; i++) {
      this.ns[i] += Math.max(0, sums[i] - this.#last[i]);
      this.#last[i] = sums[i];
    }
  }

  /** Restarts counting at the last reading. */
  restart(): void {
    this.ns.fill(0);
  }

  close(): void {
    this.#file.close();
  }
}

/** Room for 8,192 CPUs with at most 20 digits each. */
const perCpuText = Buffer.allocUnsafeSlow(8192 * 21);
/** By index of the package; the last element is for CPUs whose package is unknown. */
const sums = new Float64Array(noPackage + 1);
