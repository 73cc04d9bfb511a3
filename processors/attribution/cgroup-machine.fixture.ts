import type { Series } from '../../src/model/series.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { createCgroup, Rig, RigProcess } from './rig.fixture.js';

const stepS = 0.01;
const stepsPerScan = 100;
const cpuCount = 2;
/** Watts for each CPU that is busy. */
const wattsPerCpu = 10;

export interface CgroupMachineOptions {
  readonly seed: number;
  readonly scans: number;
  /** How many steps after a boundary cgroups are read; negative: before. Processes are read 2 steps after. */
  readonly readAfter: number;
  /** Whether the table of the cgroups comes after that which closes the scan. */
  readonly isLate?: boolean;
  /** Whether cgroups are read at all. */
  readonly hasCgroups?: boolean;
  /** Whether processes move to other cgroups without being noticed. */
  readonly hasMoves?: boolean;
}

interface Process {
  readonly rig: RigProcess;
  /** Short ones come and go between two scans: no receiver sees them. */
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
 * A machine whose truth is known: processes that receivers see and others that they do not, in cgroups of which some
 * come and go. Its power is that of its busy CPUs, so that joules are CPU time.
 */
export class CgroupMachine {
  readonly rig: Rig;
  /** CPU seconds of the processes of each cgroup since the first boundary, without those below it. */
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

  /** CPU seconds of a cgroup with all below it, from the first boundary on. */
  truthOf(path: string): number {
    return sumBelow(path, this.#truth);
  }

  /** CPU seconds that a cgroup with all below it was charged for. */
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
      // Bursts: a process works for a while, then rests.
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
