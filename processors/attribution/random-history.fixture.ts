import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { interruptTime } from '../../src/model/usage-metrics.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { RandomCounts } from './random-counts.fixture.js';
import { RandomGpus } from './random-gpus.fixture.js';
import { RandomMeters } from './random-meters.fixture.js';
import { createCgroup, RigProcess, unixNs } from './rig.fixture.js';
import type { UnreliableRig } from './unreliable-rig.fixture.js';

const cgroups = ['/a', '/a/x', '/a/y', '/b'];

type Pair = readonly [number, number];

interface Process {
  readonly pid: number;
  readonly birth: string;
  rig: RigProcess;
  usedS: number;
  /** The part of it on each package; undefined: not read. */
  packageS: Pair | undefined;
  /** Its usage when its series started. */
  startS: number;
  startPackageS: Pair;
  gpuS: number;
  cgroup: string;
}

/**
 * Plays a short random history: two sockets, whose usage is read in half of the histories, memory with a slow
 * meter, two GPUs whose users are not known at times; counters that are reset, fall or wrap unnoticed; failed and
 * impossible readings; processes that start, end, have their pid reused or move to another cgroup; tables that
 * arrive late, twice or not at all; counts of traffic, cycles and cache misses; cgroups; interrupts; hardware that is
 * removed and added again; a suspended machine; a clock that is set back; a reload of the configuration. The ledger has to
 * handle all of it. At the end, nothing runs any more.
 */
export function playRandomHistory(rig: UnreliableRig, seed: number, scans: number): void {
  const history = new RandomHistory(rig, seed);
  history.play(scans);
  history.rest();
}

class RandomHistory {
  readonly #rig: UnreliableRig;
  readonly #random: Random;
  readonly #meters: RandomMeters;
  readonly #gpus: RandomGpus;
  #cgroups: readonly { readonly series: Series; packageS: Pair }[];
  readonly #hasPackages: boolean;
  readonly #counts: RandomCounts;
  #processes: Process[] = [];
  #births = 0;
  #busyS = 0;
  #busyStartS = 0;
  /** Time of interrupts, a part of the busy time that no process has; its series and its start. */
  #interruptS = 0;
  #interruptStartS = 0;
  #interrupts: Series | undefined;
  #packageS: Pair = [0, 0];
  #packageStartS: Pair = [0, 0];
  #nowS = 0;

  constructor(rig: UnreliableRig, seed: number) {
    this.#rig = rig;
    this.#random = createRandom(seed);
    this.#hasPackages = seed % 4 < 2;
    this.#counts = new RandomCounts(rig, seed);
    if (seed % 3 > 0) this.#interrupts = this.#createInterrupts();
    this.#meters = new RandomMeters(rig, this.#random);
    this.#gpus = new RandomGpus(rig, this.#random);
    this.#cgroups = createCgroups(0);
  }

  play(scans: number): void {
    while (this.#processes.length < 3) this.#bear();
    for (let scan = 0; scan < scans; scan++) {
      this.#happen();
      const fromS = this.#nowS;
      this.#nowS += 0.5 + this.#random.fraction();
      this.#work(this.#nowS - fromS);
      const isEnergyFirst = this.#random.chance(0.5);
      if (isEnergyFirst) this.#meters.read(fromS, this.#nowS);
      this.#scan();
      if (!isEnergyFirst) this.#meters.read(fromS, this.#nowS);
      this.#gpus.scan(this.#nowS, this.#processes);
    }
    this.#rig.flush();
  }

  /** Everything but the machine ends; then it is scanned until the last window that may need a group is a gap. */
  rest(): void {
    this.#rig.end(this.#nowS, ...this.#cgroups.map(({ series }) => series));
    for (const process of this.#processes) {
      this.#rig.end(this.#nowS, ...process.rig.allSeries);
      this.#gpus.bury(this.#nowS, process);
    }
    for (let scan = 0; scan < 75; scan++) {
      const fromS = this.#nowS;
      this.#nowS += 5;
      this.#meters.read(fromS, this.#nowS);
      this.#rig.boundary(this.#nowS, this.#busyS - this.#busyStartS);
      this.#gpus.scan(this.#nowS, []);
    }
    this.#rig.flush();
  }

  /** Random events between two scans. */
  #happen(): void {
    if (this.#random.chance(0.3)) this.#bear();
    if (this.#random.chance(0.2)) this.#bury(this.#random.pick(this.#processes));
    if (this.#random.chance(0.1)) this.#reuse(this.#random.pick(this.#processes));
    if (this.#random.chance(0.1)) this.#move(this.#random.pick(this.#processes));
    this.#meters.happen(this.#nowS);
    if (this.#random.chance(0.03)) this.#restartUsage();
    if (this.#random.chance(0.03)) this.#suspend();
    this.#gpus.happen(this.#nowS);
    if (this.#random.chance(0.03)) this.#setBack();
    if (this.#random.chance(0.03)) this.#rig.replace();
  }

  #bear(pid = this.#random.whole(12)): void {
    this.#births += 1;
    const birth = String(this.#births);
    const cgroup = this.#random.pick(cgroups);
    const packageS: Pair | undefined = this.#hasPackages && this.#random.chance(0.8) ? [0, 0] : undefined;
    const startPackageS: Pair = [0, 0];
    const process = { pid, birth, usedS: 0, packageS, startS: 0, startPackageS, gpuS: 0, cgroup };
    this.#processes.push({ ...process, rig: this.#describe(process, this.#nowS) });
  }

  #describe({ pid, birth, cgroup }: Omit<Process, 'rig'>, startS: number): RigProcess {
    const attributes = {
      'process.pid': pid,
      'process.creation.time': birth,
      'process.executable.name': `program-${this.#births % 3}`,
      'process.linux.cgroup': cgroup,
      'container.id': `container-${cgroup}`,
    };
    return new RigProcess(attributes, startS);
  }

  #bury(process: Process): void {
    this.#processes = this.#processes.filter((one) => one !== process);
    this.#rig.end(this.#nowS, ...process.rig.allSeries);
    this.#gpus.bury(this.#nowS, process);
    if (this.#processes.length === 0) this.#bear();
  }

  /** The kernel immediately reuses its pid for another process. */
  #reuse(process: Process): void {
    this.#bury(process);
    this.#bear(process.pid);
  }

  #move(process: Process): void {
    this.#rig.end(this.#nowS, ...process.rig.allSeries);
    this.#gpus.bury(this.#nowS, process);
    process.cgroup = this.#random.pick(cgroups);
    process.startS = process.usedS;
    process.startPackageS = process.packageS ?? [0, 0];
    process.gpuS = 0;
    process.rig = this.#describe(process, this.#nowS);
  }

  #restartUsage(): void {
    this.#rig.end(this.#nowS, ...this.#rig.restartBusy(this.#nowS));
    this.#busyStartS = this.#busyS;
    this.#packageStartS = this.#packageS;
    if (this.#interrupts === undefined) return;
    this.#rig.end(this.#nowS, this.#interrupts);
    this.#interrupts = this.#createInterrupts();
    this.#interruptStartS = this.#interruptS;
  }

  /** Time passes without any usage; afterwards everything has new series. */
  #suspend(): void {
    this.#nowS += this.#random.pick([10, 400]);
    this.#restartAll();
  }

  /** The clock is set back; everything has new series. */
  #setBack(): void {
    this.#rig.flush();
    this.#nowS -= this.#random.pick([2, 1000]);
    this.#rig.end(this.#nowS, ...this.#cgroups.map(({ series }) => series));
    this.#cgroups = createCgroups(this.#nowS);
    this.#gpus.restart(this.#nowS, this.#processes);
    this.#counts.restart(this.#nowS);
    this.#restartAll();
  }

  #restartAll(): void {
    this.#meters.restart(this.#nowS);
    this.#restartUsage();
    for (const process of this.#processes) {
      this.#rig.end(this.#nowS, ...process.rig.restart(this.#nowS));
      process.startS = process.usedS;
      process.startPackageS = process.packageS ?? [0, 0];
    }
  }

  #work(elapsedS: number): void {
    let freeS = 2 * elapsedS;
    for (const process of this.#processes) {
      const workS = this.#random.chance(0.3) ? 0 : freeS * this.#random.fraction();
      process.usedS += workS;
      freeS -= workS;
      this.#place(process, workS);
      for (const cgroup of this.#cgroups) {
        if (`${process.cgroup}/`.startsWith(`${pathOf(cgroup.series)}/`)) {
          cgroup.packageS = this.#divide(cgroup.packageS, workS);
        }
      }
    }
    const unseenS = this.#random.chance(0.5) ? 0.1 * elapsedS : 0;
    const other = this.#random.pick(this.#cgroups);
    other.packageS = this.#divide(other.packageS, unseenS);
    // Sometimes more than the rest that no process explains.
    const interruptS = this.#random.chance(0.7) ? 0.2 * elapsedS * this.#random.fraction() : 0;
    this.#interruptS += interruptS;
    this.#busyS +=
      (2 * elapsedS - freeS + unseenS + this.#random.fraction() * interruptS) *
      (0.95 + 0.1 * this.#random.fraction());
    if (this.#hasPackages) this.#packageS = this.#divide(this.#packageS, unseenS);
  }

  /** Some work runs on one package, other work on both. */
  #place(process: Process, workS: number): void {
    if (!this.#hasPackages) return;
    const before = this.#packageS;
    this.#packageS = this.#divide(before, workS);
    if (process.packageS === undefined || this.#random.chance(0.05)) return;
    const [first, second] = this.#packageS;
    process.packageS = [process.packageS[0] + first - before[0], process.packageS[1] + second - before[1]];
  }

  #divide([first, second]: Pair, workS: number): Pair {
    const part = this.#random.pick([0, 1, this.#random.fraction()]);
    return [first + part * workS, second + (1 - part) * workS];
  }

  #scan(): void {
    const atS = this.#nowS;
    if (this.#random.chance(0.7)) this.#readCgroups(atS - 0.01);
    const living = this.#processes.map(({ rig }) => rig);
    if (this.#random.chance(0.8)) this.#counts.read(atS - (this.#random.chance(0.8) ? 0 : 0.3), living);
    const rowS = this.#random.chance(0.8) ? atS + 0.01 : atS - 0.3;
    const read = this.#processes.filter(() => this.#random.chance(0.95));
    const used = read.map(({ rig, usedS, startS, packageS, startPackageS }) => {
      const byPackage = packageS ? subtract(packageS, startPackageS) : [];
      return [rig, this.#random.chance(0.03) ? NaN : usedS - startS, byPackage] as const;
    });
    const isLate = this.#random.chance(0.1);
    if (!isLate) this.#rig.packageUsage(rowS, used);
    if (this.#random.chance(0.05)) this.#rig.packageUsage(rowS, used);
    if (this.#interrupts && this.#random.chance(0.9)) this.#readInterrupts(this.#interrupts, atS);
    if (this.#random.chance(0.95)) {
      const byPackage = subtract(this.#packageS, this.#packageStartS).map((seconds) =>
        this.#random.chance(0.03) ? NaN : seconds,
      );
      const busyS = this.#random.chance(0.03) ? NaN : this.#busyS - this.#busyStartS;
      this.#rig.boundary(atS, busyS, this.#hasPackages ? byPackage : []);
    }
    if (isLate) this.#rig.packageUsage(rowS, used);
  }

  #createInterrupts(): Series {
    const { resource } = this.#rig.createMeter();
    return { metric: interruptTime, resource, attributes: {}, start: unixNs(this.#nowS) };
  }

  #readInterrupts(series: Series, atS: number): void {
    const seconds = this.#random.chance(0.03) ? NaN : this.#interruptS - this.#interruptStartS;
    this.#rig.consume(createRow([series], unixNs(atS), Float64Array.of(seconds)));
  }

  #readCgroups(atS: number): void {
    const used = this.#cgroups.map(({ series, packageS }) => [series, packageS] as const);
    if (this.#hasPackages && this.#random.chance(0.9)) this.#rig.cgroupPackageUsage(atS, used);
    else
      this.#rig.cgroupUsage(
        atS,
        used.map(([series, [first, second]]) => [series, first + second]),
      );
  }
}

function createCgroups(startS: number): readonly { readonly series: Series; packageS: Pair }[] {
  return cgroups.map((path) => ({ series: createCgroup(path, startS), packageS: [0, 0] }));
}

function subtract([first, second]: Pair, from: Pair): Pair {
  return [first - from[0], second - from[1]];
}

function pathOf({ resource }: Series): string {
  return String(resource.attributes['linux.cgroup.path']);
}
