import type { Series } from '../../src/model/series.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { createCgroup, Rig, RigProcess } from './rig.fixture.js';

const stepS = 0.01;
const stepsPerScan = 100;
const cpuCount = 2;
/** Watts per busy CPU. */
const wattsPerCpu = 10;

export interface CgroupMachineOptions {
  readonly seed: number;
  readonly scans: number;
  /**
   * The number of steps after a boundary at which cgroups are read; negative: before. Processes are read 2
   * steps after.
   */
  readonly readAfter: number;
  /** Whether the table of the cgroups arrives after the one that ends the scan. */
  readonly isLate?: boolean;
  /** Whether cgroups are read at all. */
  readonly hasCgroups?: boolean;
  /** Whether processes move to other cgroups unnoticed. */
  readonly hasMoves?: boolean;
}

interface Process {
  readonly rig: RigProcess;
  /** Short-lived: it starts and ends between two scans, so that no receiver sees it. */
  readonly isHidden: boolean;
  path: string;
  share: number;
  diesAt: number;
  usedS: number;
  isKnown: boolean;
}

interface Cgroup {
  readonly series: Series;
  usedS: number;
  readonly diesAt: number;
  isKnown: boolean;
}

/**
 * A machine with known true usage: processes that receivers see and others that they do not, in cgroups, some
 * of which appear and disappear. Its power is proportional to its busy CPUs, so that joules correspond to CPU
 * time.
 */
export class CgroupMachine {
  readonly rig: Rig;
  /** CPU seconds of the processes of each cgroup since the first boundary, without its descendants. */
  readonly #truth = new Map<string, number>();
  #busyS = 0;
  readonly #options: CgroupMachineOptions;
  readonly #random: Random;
  readonly #meter: Series;
  readonly #cgroups = new Map<string, Cgroup>();
  #processes: Process[] = [];
  #births = 0;
  #step = 0;

  constructor(options: CgroupMachineOptions, settings: object = {}) {
    this.rig = new Rig({ process_limit: 0, group_limit: 0, cpu_count: cpuCount, ...settings });
    this.#options = options;
    this.#random = createRandom(options.seed);
    this.#meter = this.rig.createMeter();
    for (const path of ['/a', '/a/x', '/a/x/deep', '/a/y', '/b', '/c']) this.#addCgroup(path, Infinity);
  }

  /** CPU seconds of a cgroup with its descendants since the first boundary. */
  truthOf(path: string): number {
    return sumBelow(path, this.#truth);
  }

  /** CPU seconds that a cgroup with its descendants was charged for. */
  chargedTo(path: string): number {
    return sumBelow(path, Object.entries(this.rig.cgroups())) / wattsPerCpu;
  }

  play(): this {
    for (let scan = 1; scan <= this.#options.scans; scan++) this.#playScan(scan * stepsPerScan);
    void this.rig.processor.shutdown();
    return this;
  }

  #playScan(boundary: number): void {
    const { readAfter, isLate = false, hasCgroups = true } = this.#options;
    const atCgroups = boundary + readAfter;
    const atProcesses = boundary + 2;
    let readings: (readonly [Series, number])[] = [];
    let [busyS, ended] = [0, [] as readonly Series[]];
    while (this.#step < Math.max(atCgroups, atProcesses)) {
      this.#advance();
      if (this.#step === atCgroups) [readings, ended] = this.#readCgroups();
      if (this.#step === boundary) busyS = this.#busyS;
      if (this.#step === atProcesses) this.#readProcesses();
    }
    const atS = boundary * stepS;
    const passCgroups = () => {
      if (!hasCgroups) return;
      this.rig.end(atCgroups * stepS, ...ended);
      this.rig.cgroupUsage(atCgroups * stepS, readings);
    };
    this.rig.energy(this.#meter, atS, busyS * wattsPerCpu);
    if (!isLate) passCgroups();
    this.rig.boundary(atS, busyS);
    if (isLate) passCgroups();
  }

  #readCgroups(): [(readonly [Series, number])[], readonly Series[]] {
    const gone = [...this.#cgroups].filter(([, { diesAt }]) => diesAt <= this.#step);
    for (const [path] of gone) this.#cgroups.delete(path);
    const ended = gone.flatMap(([, { series, isKnown }]) => (isKnown ? [series] : []));
    for (const cgroup of this.#cgroups.values()) cgroup.isKnown = true;
    return [[...this.#cgroups.values()].map(({ series, usedS }) => [series, usedS] as const), ended];
  }

  #readProcesses(): void {
    const gone = this.#processes.filter(({ diesAt }) => diesAt <= this.#step);
    this.#processes = this.#processes.filter(({ diesAt }) => diesAt > this.#step);
    for (const { rig, isKnown } of gone) if (isKnown) this.rig.end(this.#step * stepS, ...rig.series);
    const seen = this.#processes.filter(({ isHidden }) => !isHidden);
    for (const process of seen) process.isKnown = true;
    this.rig.usage(
      this.#step * stepS,
      seen.map(({ rig, usedS }) => [rig, usedS]),
    );
  }

  #advance(): void {
    this.#step += 1;
    if (this.#processes.length < 4 || this.#random.fraction() < 0.15) this.#bear();
    if (this.#random.fraction() < 0.01) {
      const parent = this.#pick(['/a', '/b']);
      this.#addCgroup(`${parent}/job-${this.#step}`, this.#step + 50 + this.#random.whole(300));
    }
    let freeS = cpuCount * stepS;
    for (const process of this.#processes) {
      if (process.diesAt <= this.#step) continue;
      // Bursts: a process works for some time, then rests.
      if (this.#random.fraction() < 0.05)
        process.share = this.#random.fraction() < 0.5 ? 0 : this.#random.fraction();
      if (this.#options.hasMoves && this.#random.fraction() < 0.002) this.#move(process);
      freeS -= this.#use(process, freeS * process.share);
    }
    const interruptS = freeS * 0.02;
    this.#busyS += interruptS;
  }

  #use(process: Process, seconds: number): number {
    process.usedS += seconds;
    this.#busyS += seconds;
    if (this.#step > stepsPerScan)
      this.#truth.set(process.path, (this.#truth.get(process.path) ?? 0) + seconds);
    for (let { path } = process; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
      const cgroup = this.#cgroups.get(path);
      if (cgroup) cgroup.usedS += seconds;
    }
    return seconds;
  }

  #move(process: Process): void {
    const paths = ['/a/x', '/a/y', '/b', '/c'];
    if (paths.includes(process.path)) process.path = this.#pick(paths);
  }

  #bear(): void {
    this.#births += 1;
    const living = [...this.#cgroups].filter(([, { diesAt }]) => diesAt > this.#step);
    const [path, cgroup] = this.#pick(living);
    const isHidden = this.#births > 4 && this.#random.fraction() < 0.7;
    const lifetime = isHidden ? 1 + this.#random.whole(20) : 100 + this.#random.whole(1000);
    const identity = { 'process.pid': this.#births, 'process.linux.cgroup': `0::${path}` };
    this.#processes.push({
      rig: new RigProcess(identity, this.#step * stepS),
      isHidden,
      path,
      share: this.#random.fraction(),
      diesAt: Math.min(this.#step + lifetime, cgroup.diesAt),
      usedS: 0,
      isKnown: false,
    });
  }

  #addCgroup(path: string, diesAt: number): void {
    const series = createCgroup(path, this.#step * stepS);
    this.#cgroups.set(path, { series, usedS: 0, diesAt, isKnown: false });
  }

  #pick<T>(items: readonly T[]): T {
    const item = items.at(this.#random.whole(items.length));
    if (item === undefined) throw new RangeError('Cannot pick: expected at least one item, found none');
    return item;
  }
}

function sumBelow(path: string, seconds: Iterable<readonly [string, number]>): number {
  return [...seconds]
    .filter(([own]) => own === path || own.startsWith(`${path}/`))
    .reduce((sum, [, own]) => sum + own, 0);
}
