import type { Series } from '../../src/model/series.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { createCounts, createEvent, createMember, createTraffic } from './counts.fixture.js';
import { RigProcess, type Rig } from './rig.fixture.js';

const cores = 4;
const stepS = 1e-3;
const floorWatts = 12;
/** Power of one thread at full clock, alone on its core, with average work. */
const threadWatts = 9;
/** Relative cost of a thread while the other thread of its core is busy. */
const sharedCore = 0.62;
/** Period of the kernel's tick at 250 Hz; also the resolution of idle time. */
const tickS = 4e-3;
const idleTickS = 1e-2;
/** Length of the quiet phase at the start: enough to learn the floor. */
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
  /** How long after a multiple of that time; the power of the quiet phase is constant. */
  readonly refreshOffsetS?: number;
  /** Whether cycles or cache misses are counted; with cache misses, the meter is that of the memory. */
  readonly counts?: 'cycles' | 'cache-misses' | 'resctrl';
  /** Number of tasks that are counted individually; undefined: all. */
  readonly counted?: number;
}

/** The true cost of each window, by pid; 0: idle energy, -1: processes that no scan sees. */
export type TrueWindow = ReadonlyMap<number, number>;

interface Task {
  readonly pid: number;
  readonly process: RigProcess;
  /** Energy per unit of work, relative to average work. */
  readonly mix: number;
  /** Bytes per nanosecond, and energy per byte relative to the other tasks. */
  readonly traffic: number;
  readonly perByte: number;
  /** Counted events per byte, relative to the other tasks. */
  readonly misses: number;
  /** The counter's value for this task. */
  count: number;
  readonly burstS: number;
  readonly load: number;
  usedS: number;
  isBusy: boolean;
  untilS: number;
}

/**
 * A machine that CPU time describes badly: core clocks vary independently between half and full, threads share
 * cores, programs differ in what they execute, and some live only between two scans. Its meter is refreshed
 * every millisecond or less often, CPU times lag by up to a tick, and idle time is counted in ticks. The true
 * energy is known for every window.
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

  /** The last task represents processes that live between two scans: a twentieth of a CPU. */
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

  /** A quiet period in seconds, in which the meter and the scans see only the floor. */
  #rest(): void {
    const { readingS } = this.#options;
    for (let readings = 0; this.#atS < quietS; this.#atS += 1) {
      const toS = this.#atS + 1;
      for (; (readings + 1) * readingS < toS + stepS / 2; readings++) {
        this.#readAtS = (readings + 1) * readingS;
        this.#refreshedAtS = this.#lastRefresh(this.#readAtS);
        this.#rig.energy(this.#meter, this.#readAtS, floorWatts * this.#refreshedAtS);
      }
      this.#scan(toS);
    }
    this.#joules = floorWatts * quietS;
    this.#refreshedAtS = this.#lastRefresh(quietS);
    this.#shownJ = floorWatts * this.#refreshedAtS;
    this.#readAtS += readingS;
  }

  get #refreshS(): number {
    return this.#options.refreshS ?? stepS;
  }

  /** The last refresh before an instant. */
  #lastRefresh(atS: number): number {
    const { refreshOffsetS = 0 } = this.#options;
    return Math.max(0, floorTo(atS - refreshOffsetS, this.#refreshS) + refreshOffsetS);
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
    if (this.#atS >= this.#refreshedAtS + this.#refreshS - stepS / 2) this.#refresh();
    if (this.#atS >= this.#readAtS - stepS / 2) this.#read();
  }

  /** The running tasks, each on the next thread: first one per core, then the second threads of the cores. */
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

  /** CPU times are those of the last tick: each task lags by a different part of a tick. */
  #scan(atS = this.#atS): void {
    const used = this.#tasks
      .filter(({ pid }) => pid > 0)
      .map(({ process, usedS, isBusy }) => [process, isBusy ? floorTo(usedS, tickS) : usedS] as const);
    this.#count(atS);
    this.#rig.usage(atS, used);
    this.#rig.boundary(atS, floorTo(this.#busyS, idleTickS));
  }

  /** Counter readings of the machine and of the tasks, as the receivers would report them. */
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
