import { cpus } from 'node:os';
import { medianOf } from './statistics.js';

/** Maximum use of the machine at which a window is quiet, and of its CPUs: 2 % of 256 CPUs use a tenth of the floor. */
const quietUse = 0.02;
const quietCpus = 1;
/** Minimum length of a quiet window, also as a number of refresh intervals of the meter. */
const minQuietNs = 1e9;
const minQuietRefreshes = 100;
/** Number of quiet windows needed for a floor, and the number that is kept. */
const wantedWindows = 60;
const keptWindows = 600;
/** A machine that is busy uses more than its floor. Number of windows in a row below it after which it is forgotten. */
const refutingWindows = 10;
/** Number of the newest quiet windows that have to be on one side of a floor, beyond its error, to replace it. */
const changedWindows = 45;

/** A machine at 2 % use is not idle: its learned floor is slightly too high. */
const minFloorError = 0.05;
/** 95 % of normally distributed values lie within this multiple of their median deviation from the median. */
const spreadOf95 = 2.91;

/** A period that may have been quiet. */
export interface Stretch {
  readonly durationNs: number;
  readonly energyNj: number;
  readonly busyNs: number;
}

/**
 * Learns the floor of a domain while the machine is quiet (docs/ledger.md, Idle energy): the median power of windows of
 * at least 1 s and 100 refreshes in which at most 2 % of the machine and one CPU were used, once there are 60. Never from a busy
 * machine: that only shows that a floor is wrong, for example that of other hardware.
 */
export class FloorLearner {
  readonly #cpuCount: CpuCount;
  #quietWatts: number[];
  #durationNs = 0;
  #energyNj = 0;
  #busyNs = 0;
  #watts: number | undefined;
  #errorWatts = 0;
  #hasLearned = false;
  /** Number of busy windows in a row with less power than the floor. */
  #windowsBelow = 0;

  /** @param quietWatts quiet windows learned by an earlier run */
  constructor(cpuCount: CpuCount, quietWatts: readonly number[] = []) {
    this.#cpuCount = cpuCount;
    this.#quietWatts = [...quietWatts];
    this.#decide();
  }

  /** Undefined: too few quiet windows so far. */
  get watts(): number | undefined {
    return this.#watts;
  }

  /** Whether everything it has learned is from an earlier run. */
  get isPersisted(): boolean {
    return !this.#hasLearned;
  }

  /** Possible error: the deviation within which 95 % of the quiet windows lie, and at least 5 % of the floor. */
  get errorWatts(): number {
    return this.#errorWatts;
  }

  /** The power of each quiet window, newest last. */
  get quietWatts(): readonly number[] {
    return this.#quietWatts;
  }

  /** Adds a period that follows the previous one. */
  observe({ durationNs, energyNj, busyNs }: Stretch, refreshNs: number): void {
    this.#durationNs += durationNs;
    this.#energyNj += energyNj;
    this.#busyNs += busyNs;
    if (this.#durationNs < Math.max(minQuietNs, minQuietRefreshes * refreshNs)) return;
    const watts = this.#energyNj / this.#durationNs;
    const quietNs = Math.min(quietUse * this.#cpuCount.value, quietCpus) * this.#durationNs;
    if (this.#busyNs <= quietNs) this.#learn(watts);
    else this.#verify(watts);
    this.interrupt();
  }

  /** The next period does not follow the previous one. */
  interrupt(): void {
    this.#durationNs = 0;
    this.#energyNj = 0;
    this.#busyNs = 0;
  }

  #learn(watts: number): void {
    this.#hasLearned = true;
    this.#quietWatts.push(watts);
    if (this.#quietWatts.length > keptWindows) this.#quietWatts = this.#quietWatts.slice(-keptWindows);
    this.#decide();
  }

  #decide(): void {
    if (this.#quietWatts.length < wantedWindows) return;
    const watts = this.#measure(this.#quietWatts);
    const newest = this.#quietWatts.slice(-wantedWindows);
    const [least, most] = [watts - this.#errorWatts, watts + this.#errorWatts];
    const [below, above] = [newest.filter((one) => one < least), newest.filter((one) => one > most)];
    if (Math.max(below.length, above.length) < changedWindows) return;
    // Other hardware, or other settings of its firmware: the older windows do not apply any more.
    this.#quietWatts = newest;
    this.#measure(newest);
  }

  #measure(quietWatts: readonly number[]): number {
    const watts = medianOf(quietWatts);
    const spreadWatts = medianOf(quietWatts.map((quiet) => Math.abs(quiet - watts)));
    this.#watts = watts;
    this.#errorWatts = Math.max(minFloorError * watts, spreadOf95 * spreadWatts);
    return watts;
  }

  /** With a floor above its power, all energy of a busy machine would count as idle. */
  #verify(watts: number): void {
    if (this.#watts === undefined) return;
    this.#windowsBelow = watts < this.#watts - this.#errorWatts ? this.#windowsBelow + 1 : 0;
    if (this.#windowsBelow < refutingWindows) return;
    this.#windowsBelow = 0;
    this.#quietWatts = [];
    this.#watts = undefined;
    this.#errorWatts = 0;
  }
}

/**
 * Number of logical CPUs of the measured machine: in order of precedence as configured, as it last reported, as
 * this machine has.
 */
export class CpuCount {
  readonly #isConfigured: boolean;
  #value: number;

  /** @param configured null: not configured */
  constructor(configured: number | null) {
    this.#isConfigured = configured !== null;
    this.#value = configured ?? cpus().length;
  }

  get value(): number {
    return this.#value;
  }

  /** @param count as reported by the measured machine, which may be wrong; not finite: no reading */
  read(count: number): void {
    if (!this.#isConfigured && count > 0 && count < Infinity) this.#value = Math.max(1, Math.round(count));
  }
}
