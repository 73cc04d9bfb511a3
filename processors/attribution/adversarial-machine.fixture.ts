import type { Series } from '../../src/model/series.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { createCounts, createEvent, createMember, createTraffic } from './counts.fixture.js';
import { RigProcess, type Rig } from './rig.fixture.js';

const cores = 4;
const stepS = 1e-3;
const floorWatts = 12;
/** Of one thread at full clock, alone on its core, with work of the middle kind. */
const threadWatts = 9;
/** What a thread costs of that while the other thread of its core is busy. */
const sharedCore = 0.62;
/** The kernel's tick at 250 Hz, and that of idle time. */
const tickS = 4e-3;
const idleTickS = 1e-2;
/** How long it is quiet at first: enough to learn its floor. */
const quietS = 70;

export interface AdversarialOptions {
  readonly seed: number;
  readonly workloads: number;
  readonly windowS: number;
  readonly windows: number;
  /** Time between two readings of the meter. */
  readonly readingS: number;
  /** Time between two refreshes of the meter. */
  readonly refreshS?: number;
  /** What is counted: cycles, or what goes to memory, of which the meter is then. */
  readonly counts?: 'cycles' | 'cache-misses' | 'resctrl';
  /** Of how many of the tasks it is counted by itself; undefined: of all. */
  readonly counted?: number;
}

/** What each window truly cost, by pid; 0: idle energy, -1: processes that no scan sees. */
export type TrueWindow = ReadonlyMap<number, number>;

interface Task {
  readonly pid: number;
  readonly process: RigProcess;
  /** Energy of what it executes, in relation to work of the middle kind. */
  readonly mix: number;
  /** Bytes in a nanosecond, and energy of one in relation to others. */
  readonly traffic: number;
  readonly perByte: number;
  /** What is counted for each byte, in relation to others. */
  readonly misses: number;
  /** What was counted of it. */
  count: number;
  readonly burstS: number;
  readonly load: number;
  usedS: number;
  isBusy: boolean;
  untilS: number;
}

/**
 * A machine that CPU time describes badly: clocks of cores move between half and full on their own, threads of a core
 * share it, programs differ by what they execute, some live between two scans. Its meter is refreshed every
 * millisecond or more seldom, CPU times lag by a tick, idle time is counted in ticks. The truth is known for every window.
 */
export class AdversarialMachine {
  readonly truth: TrueWindow[] = [];
  readonly #rig: Rig;
  readonly #options: AdversarialOptions;
  readonly #random: Random;
  readonly #meter: Series;
  readonly #tasks: readonly Task[];
  readonly #clocks = Array.from({ length: cores }, () => ({ speed: 1, untilS: 0 }));
  #series: readonly Series[] | undefined;
  #members: readonly Series[] | undefined;
  #atS = 0;
  #busyS = 0;
  #joules = 0;
  #shownJ = 0;
  #refreshedAtS = 0;
  #readAtS = 0;
  #window = new Map<number, number>();

  constructor(rig: Rig, options: AdversarialOptions) {
    this.#rig = rig;
    this.#options = options;
    this.#random = createRandom(options.seed);
    const memory = { 'hw.type': 'memory', 'hw.id': 'dram-0' };
    this.#meter = rig.createMeter({ 'energy.method': 'measured', ...(this.#isOfMemory && memory) });
    this.#tasks = Array.from({ length: options.workloads + 1 }, (_, i) => this.#createTask(i));
  }

  get #isOfMemory(): boolean {
    return this.#options.counts === 'resctrl' || this.#options.counts === 'cache-misses';
  }

  play(): void {
    this.#rig.tick(0, tickS);
    this.#scan();
    this.#rest();
    for (let window = 0; window < this.#options.windows; window++) {
      this.#window = new Map();
      const endS = this.#atS + this.#options.windowS;
      while (this.#atS < endS - stepS / 2) this.#step();
      this.truth.push(this.#window);
      this.#scan();
    }
    this.#read();
  }

  /** The last task stands for processes that live between two scans: a twentieth of a CPU. */
  #createTask(i: number): Task {
    const isUnseen = i === this.#options.workloads;
    return {
      pid: isUnseen ? -1 : i + 1,
      process: new RigProcess({ 'process.pid': i + 1 }, 0),
      mix: 2 ** (2 * this.#random.fraction() - 1),
      traffic: this.#isOfMemory ? 16 ** (this.#random.fraction() - 0.5) : 0,
      perByte: this.#isOfMemory ? 2 ** (this.#random.fraction() - 0.5) : 0,
      misses: this.#options.counts === 'cache-misses' ? 2 ** (this.#random.fraction() - 0.5) : 1,
      count: 0,
      burstS: 0.005 * 100 ** this.#random.fraction(),
      load: isUnseen ? 0.05 : this.#random.fraction(),
      usedS: 0,
      isBusy: false,
      untilS: 0,
    };
  }

  /** A quiet time in seconds, in which the meter and the scans see nothing but the floor. */
  #rest(): void {
    for (; this.#atS < quietS; this.#atS += 1) {
      this.#joules += floorWatts;
      this.#rig.energy(this.#meter, this.#atS + 1, this.#joules);
      this.#scan(this.#atS + 1);
    }
    this.#refresh();
    this.#readAtS = this.#atS + this.#options.readingS;
  }

  #refresh(): void {
    this.#shownJ = this.#joules;
    this.#refreshedAtS = this.#atS;
  }

  #step(): void {
    const threads = this.#schedule();
    this.#add(0, floorWatts * stepS);
    for (let core = 0; core < cores; core++) this.#run(core, [threads[core], threads[core + cores]]);
    this.#atS += stepS;
    if (this.#atS >= this.#refreshedAtS + (this.#options.refreshS ?? stepS) - stepS / 2) this.#refresh();
    if (this.#atS >= this.#readAtS - stepS / 2) this.#read();
  }

  /** The tasks that run, each on the next thread: first one on each core, then the others beside them. */
  #schedule(): readonly (Task | undefined)[] {
    for (const task of this.#tasks) {
      if (task.untilS > this.#atS) continue;
      task.isBusy = this.#random.fraction() < task.load;
      task.untilS = this.#atS + task.burstS * (0.5 + this.#random.fraction());
    }
    return this.#tasks.filter(({ isBusy }) => isBusy).slice(0, 2 * cores);
  }

  #run(core: number, threads: readonly (Task | undefined)[]): void {
    const clock = this.#clocks[core];
    if (clock.untilS <= this.#atS) {
      clock.speed = 0.5 + 0.5 * this.#random.fraction();
      clock.untilS = this.#atS + 0.2 * this.#random.fraction();
    }
    const busy = threads.filter((task) => task !== undefined);
    for (const task of busy) {
      const watts = threadWatts * clock.speed ** 2.5 * task.mix * (busy.length > 1 ? sharedCore : 1);
      const memoryWatts = threadWatts * task.traffic * task.perByte;
      this.#add(task.pid, (this.#isOfMemory ? memoryWatts : watts) * stepS);
      task.count += Math.round(
        (this.#isOfMemory ? 1e9 * task.traffic * task.misses : 3e9 * clock.speed) * stepS,
      );
      task.usedS += stepS;
      this.#busyS += stepS;
    }
  }

  #add(pid: number, joules: number): void {
    this.#joules += joules;
    this.#window.set(pid, (this.#window.get(pid) ?? 0) + joules);
  }

  #read(): void {
    this.#rig.energy(this.#meter, this.#atS, this.#shownJ);
    this.#readAtS = this.#atS + this.#options.readingS;
  }

  /** CPU times are those of the last tick: each lags by another part of it. */
  #scan(atS = this.#atS): void {
    const used = this.#tasks
      .filter(({ pid }) => pid > 0)
      .map(({ process, usedS, isBusy }) => [process, isBusy ? floorTo(usedS, tickS) : usedS] as const);
    this.#count(atS);
    this.#rig.usage(atS, used);
    this.#rig.boundary(atS, floorTo(this.#busyS, idleTickS));
  }

  /** What was counted of the machine and of tasks, as its receivers read it. */
  #count(atS: number): void {
    const { counts, counted = Infinity } = this.#options;
    if (counts === undefined) return;
    const whole = this.#tasks.reduce((sum, { count }) => sum + count, 0);
    const own = this.#tasks.filter(({ pid }) => pid > 0 && pid <= counted);
    this.#series ??= [undefined, ...own].map((task) => {
      if (counts !== 'resctrl') return createEvent(counts, task?.process);
      return createTraffic(task ? `/mon_groups/${task.pid}` : '/', 0);
    });
    const members = counts === 'resctrl' ? own.map(({ pid }) => createMember(`/mon_groups/${pid}`, pid)) : [];
    this.#members ??= members;
    const values = [whole, ...own.map(({ count }) => count)];
    this.#rig.consume(
      createCounts(atS, [
        ...this.#members.map((series) => [series, 1] as const),
        ...this.#series.map((series, i) => [series, values[i]] as const),
      ]),
    );
  }
}

function floorTo(seconds: number, unit: number): number {
  return Math.floor(seconds / unit + 1e-9) * unit;
}
