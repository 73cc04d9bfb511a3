import type { Attributes, Series } from '../../src/model/series.js';
import { hostEnergy } from '../../src/model/shared-metrics.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { RigProcess, type Rig } from './rig.fixture.js';

export interface MachineOptions {
  readonly seed: number;
  /** Shuffles the order of the processes in each scan; undefined: in order of their start. */
  readonly orderSeed?: number;
  readonly scans: number;
  /** Mean time between two scans. */
  readonly scanS: number;
  /** Whether counters of energy are reset and readings fail. */
  readonly hasFaults?: boolean;
  /** Whether it has a meter of the whole host: 20 W and 1.2 times what the domains use; their power then varies. */
  readonly hasHost?: boolean;
}

interface Meter {
  series: Series;
  /** Time between two readings, and between two tables: several readings are delivered late, one after the other. */
  readonly periodS: number;
  readonly refreshS: number;
  readonly watts: number;
  readAtS: number;
  startJ: number;
}

interface Process {
  readonly rig: RigProcess;
  usedS: number;
  share: number;
}

/**
 * Plays a random machine: processes that start, work and end, scans that jitter and take time, meters slower
 * and faster than the scans, energy that arrives before and after the usage.
 */
export function playRandomMachine(rig: Rig, options: MachineOptions): void {
  new RandomMachine(rig, options).play();
}

class RandomMachine {
  readonly #rig: Rig;
  readonly #options: MachineOptions;
  readonly #random: Random;
  readonly #order: Random | undefined;
  readonly #meters: readonly Meter[];
  readonly #host: Meter | undefined;
  #processes: Process[] = [];
  #bornCount = 0;
  #busyS = 0;
  #nowS = 0;

  constructor(rig: Rig, options: MachineOptions) {
    this.#rig = rig;
    this.#options = options;
    this.#random = createRandom(options.seed);
    this.#order = options.orderSeed === undefined ? undefined : createRandom(options.orderSeed);
    const { scanS } = options;
    this.#meters = [
      this.#createMeter('cpu', 'package-0', scanS / 10),
      this.#createMeter('cpu', 'package-1', scanS),
      this.#createMeter('memory', 'dram-0', scanS * 3.7),
    ];
    if (options.hasHost) this.#host = this.#createHost(scanS * 0.4);
  }

  play(): void {
    for (let scan = 0; scan < this.#options.scans; scan++) {
      const nextS = this.#nowS + this.#options.scanS * (0.5 + this.#random.fraction());
      const isEnergyFirst = this.#random.fraction() < 0.5;
      if (isEnergyFirst) this.#playMeters(nextS + this.#options.scanS / 5);
      this.#playScan(nextS);
      if (!isEnergyFirst) this.#playMeters(nextS);
      this.#nowS = nextS;
    }
  }

  #createMeter(hwType: string, hwId: string, refreshS: number): Meter {
    const attributes = { 'hw.type': hwType, 'hw.id': hwId, 'energy.method': 'measured' };
    return {
      series: this.#rig.createMeter(attributes, 0),
      periodS: refreshS / 2.2,
      refreshS,
      watts: 1 + 50 * this.#random.fraction(),
      readAtS: 0,
      startJ: 0,
    };
  }

  #createHost(refreshS: number): Meter {
    const meter = this.#createMeter('host', 'bmc', refreshS);
    return { ...meter, series: { ...meter.series, metric: hostEnergy }, watts: 20 };
  }

  /** Energy of a domain, or of the host beyond its domains. */
  #joulesOf({ watts }: Meter, atS: number): number {
    return watts * (this.#host ? atS + 3 * (1 - Math.cos(atS / 6)) : atS);
  }

  #hostJoules(atS: number): number {
    return this.#meters.reduce((sum, meter) => sum + 1.2 * this.#joulesOf(meter, atS), 20 * atS);
  }

  #playMeters(toS: number): void {
    for (const meter of this.#host ? [...this.#meters, this.#host] : this.#meters) {
      for (; meter.readAtS <= toS; meter.readAtS += meter.periodS) this.#playReading(meter);
    }
  }

  #playReading(meter: Meter): void {
    const { refreshS, readAtS } = meter;
    const refreshedS = Math.floor(readAtS / refreshS) * refreshS;
    const joules = meter === this.#host ? this.#hostJoules(refreshedS) : this.#joulesOf(meter, refreshedS);
    const fault = this.#options.hasFaults ? this.#random.fraction() : 1;
    if (fault < 0.001) {
      this.#rig.end(readAtS, meter.series);
      const { metric } = meter.series;
      meter.series = { ...this.#rig.createMeter(meter.series.attributes, readAtS), metric };
      meter.startJ = joules;
    }
    this.#rig.energy(meter.series, readAtS, fault < 0.05 && fault > 0.001 ? NaN : joules - meter.startJ);
  }

  #playScan(atS: number): void {
    const elapsedS = atS - this.#nowS;
    this.#work(elapsedS);
    this.#bear(atS);
    const rowS = atS + this.#options.scanS * 0.2 * this.#random.fraction();
    const living = this.#order ? shuffle(this.#processes, this.#order) : this.#processes;
    const half = this.#random.whole(living.length + 1);
    this.#playRows(living.slice(0, half), rowS);
    this.#playRows(living.slice(half), rowS);
    this.#bury(rowS);
    this.#rig.boundary(atS, this.#busyS);
  }

  #playRows(processes: readonly Process[], atS: number): void {
    this.#rig.usage(
      atS,
      processes.map(({ rig, usedS }) => [rig, usedS]),
    );
  }

  /** Each process uses a share of the remaining time, and the machine slightly more, or sometimes less. */
  #work(elapsedS: number): void {
    let freeS = 2 * elapsedS;
    for (const process of this.#processes) {
      const workS = this.#random.fraction() < 0.4 ? 0 : freeS * process.share;
      process.usedS += workS;
      freeS -= workS;
    }
    this.#busyS += (2 * elapsedS - freeS) * (0.95 + 0.3 * this.#random.fraction());
  }

  #bear(atS: number): void {
    while (this.#processes.length < 3 || this.#random.fraction() < 0.3) {
      this.#bornCount += 1;
      const identity = {
        'process.pid': this.#bornCount % 20,
        'process.creation.time': String(this.#bornCount),
        'process.executable.name': `program-${this.#bornCount % 3}`,
        ...(this.#bornCount % 5 > 0 && { 'process.linux.cgroup': `/cgroup-${this.#bornCount % 5}` }),
        ...ownersOf(this.#bornCount),
      };
      const bornS = atS - this.#options.scanS * this.#random.fraction();
      const usedS = (atS - bornS) * this.#random.fraction();
      const share = this.#random.fraction() / 3;
      this.#processes.push({ rig: new RigProcess(identity, bornS), usedS, share });
      this.#busyS += usedS;
    }
  }

  #bury(atS: number): void {
    const ended = this.#processes.filter(() => this.#random.fraction() < 0.1);
    this.#processes = this.#processes.filter((process) => !ended.includes(process));
    for (const { rig } of ended) this.#rig.end(atS, ...rig.series);
  }
}

/** The owners of a process: some have no unit, no container, no job and so on. */
function ownersOf(birth: number): Attributes {
  const names = ['systemd.unit', 'container.id', 'k8s.pod.uid', 'k8s.namespace.name', 'slurm.job.id'];
  const more = ['flux.job.id', 'process.owner', 'service.name', 'vm.name', 'team'];
  return Object.fromEntries(
    [...names, ...more].flatMap((name, i) => {
      const owner = birth % (i + 3);
      return owner === 0 ? [] : [[name, `${name}-${owner}`]];
    }),
  );
}

function shuffle<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, place: random.fraction() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
