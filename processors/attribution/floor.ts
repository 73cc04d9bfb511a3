import { accessSync, constants } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import type { Log } from '../../src/component/log.js';
import { elementAt } from '../../src/element.js';
import { describeError } from '../../src/errors.js';
import { findRegularText } from '../../src/linux/regular-file.js';
import { replaceFile } from '../../src/linux/replace-file.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { Window } from './windows.js';

/** Use of the machine up to which a window is quiet. */
const quietUse = 0.02;
/** A quiet window is at least this long, and this many refresh intervals of the meter. */
const minQuietNs = 1e9;
const minQuietRefreshes = 100;
/** How many quiet windows make a floor, and how many are kept. */
const wantedWindows = 60;
const keptWindows = 600;

/** A machine that is used by 2 % is not idle: its learned floor is a little too high. */
const minFloorError = 0.05;
/** 95 % of normally distributed values lie within this many times their median distance from the middle. */
const spreadOf95 = 2.91;

/** What the floor of a domain is known from. */
export type FloorSource = 'set' | 'model' | 'learned' | 'calibrated';

/** The floor of a domain, and what it is known from. */
export interface FloorPower {
  readonly watts: number;
  readonly source: FloorSource;
  /** By how much it may be wrong: what is set is taken for right. */
  readonly errorWatts: number;
}

/**
 * The power of a domain when nothing runs: as configured, else as its model reports it, else as it was learned, else as a
 * calibration has measured it.
 */
export class Floor {
  readonly #setWatts: number | undefined;
  readonly #learner: FloorLearner | undefined;
  readonly #calibratedWatts: number | undefined;
  #modelWatts: number | undefined;
  #current: FloorPower | undefined;

  /**
   * @param learner undefined: it cannot be learned
   * @param calibratedWatts undefined: it was not measured
   */
  constructor(setWatts: number | undefined, learner: FloorLearner | undefined, calibratedWatts?: number) {
    this.#setWatts = setWatts;
    this.#learner = learner;
    this.#calibratedWatts = calibratedWatts;
    this.#choose();
  }

  /** Undefined: not known. The same object for as long as it stays the same. */
  get current(): FloorPower | undefined {
    return this.#current;
  }

  /** Whether more quiet windows can make it known. */
  get isLearnable(): boolean {
    return this.#learner !== undefined;
  }

  /** @param watts of the domain when idle, as its model reports it; NaN: no reading */
  takeModel(watts: number): void {
    if (Number.isNaN(watts) || watts === this.#modelWatts) return;
    this.#modelWatts = watts;
    this.#choose();
  }

  /** Learns from a window that has been settled. */
  observe({ from, to, energyNj, refreshNs, usage }: Window): void {
    if (this.#learner === undefined) return;
    if (usage.isGap || usage.isQuiet === false) return this.#learner.interrupt();
    this.#learner.observe(
      { durationNs: to - from, energyNj, busyNs: usage.machineBusyNs ?? usage.busyNs },
      refreshNs,
    );
    this.#choose();
  }

  #choose(): void {
    const found = this.#find();
    const errorWatts = found.source === 'learned' ? (this.#learner?.errorWatts ?? 0) : 0;
    const { watts, source, errorWatts: knownError } = this.#current ?? {};
    if (found.watts === watts && found.source === source && errorWatts === knownError) return;
    this.#current = found.watts === undefined ? undefined : { ...found, watts: found.watts, errorWatts };
  }

  #find(): { readonly watts: number | undefined; readonly source: FloorSource } {
    if (this.#setWatts !== undefined) return { watts: this.#setWatts, source: 'set' };
    if (this.#modelWatts !== undefined) return { watts: this.#modelWatts, source: 'model' };
    const learnedWatts = this.#learner?.watts;
    if (learnedWatts !== undefined) return { watts: learnedWatts, source: 'learned' };
    return { watts: this.#calibratedWatts, source: 'calibrated' };
  }
}

/** A stretch of time that may have been quiet. */
export interface Stretch {
  readonly durationNs: number;
  readonly energyNj: number;
  readonly busyNs: number;
}

/**
 * Learns the floor of a domain while the machine is quiet (docs/ledger.md, Idle energy): the median power of windows of
 * at least 1 s and 100 refreshes in which the machine was used by at most 2 %, once there are 60. Never from a busy
 * machine.
 */
export class FloorLearner {
  readonly #cpuCount: CpuCount;
  #quietWatts: number[];
  #durationNs = 0;
  #energyNj = 0;
  #busyNs = 0;
  #watts: number | undefined;
  #errorWatts = 0;

  /** @param quietWatts what was learned before */
  constructor(cpuCount: CpuCount, quietWatts: readonly number[] = []) {
    this.#cpuCount = cpuCount;
    this.#quietWatts = [...quietWatts];
    this.#decide();
  }

  /** Undefined: too few quiet windows so far. */
  get watts(): number | undefined {
    return this.#watts;
  }

  /** By how much it may be wrong: as much as 95 % of the quiet windows differ from it, and no less than 5 % of it. */
  get errorWatts(): number {
    return this.#errorWatts;
  }

  /** The power of each quiet window, the newest last. */
  get quietWatts(): readonly number[] {
    return this.#quietWatts;
  }

  /** Takes a stretch that follows the one before. */
  observe({ durationNs, energyNj, busyNs }: Stretch, refreshNs: number): void {
    this.#durationNs += durationNs;
    this.#energyNj += energyNj;
    this.#busyNs += busyNs;
    if (this.#durationNs < Math.max(minQuietNs, minQuietRefreshes * refreshNs)) return;
    if (this.#busyNs <= quietUse * this.#cpuCount.value * this.#durationNs) this.#learn();
    this.interrupt();
  }

  /** The next stretch does not follow the one before. */
  interrupt(): void {
    this.#durationNs = 0;
    this.#energyNj = 0;
    this.#busyNs = 0;
  }

  #learn(): void {
    this.#quietWatts.push(this.#energyNj / this.#durationNs);
    if (this.#quietWatts.length > keptWindows) this.#quietWatts = this.#quietWatts.slice(-keptWindows);
    this.#decide();
  }

  #decide(): void {
    if (this.#quietWatts.length < wantedWindows) return;
    const watts = median(this.#quietWatts);
    const spreadWatts = median(this.#quietWatts.map((quiet) => Math.abs(quiet - watts)));
    this.#watts = watts;
    this.#errorWatts = Math.max(minFloorError * watts, spreadOf95 * spreadWatts);
  }
}

/** How many logical CPUs the measured machine has: as configured, else as it last reported, else as this machine has. */
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

  /** @param count as the measured machine reports it; NaN: no reading */
  read(count: number): void {
    if (!this.#isConfigured && count > 0) this.#value = count;
  }
}

/** The middle of some numbers, or the mean of the two middle ones; there is at least one. */
function median(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).toSorted();
  const middle = sorted.length / 2;
  return (elementAt(sorted, Math.ceil(middle) - 1) + elementAt(sorted, Math.floor(middle))) / 2;
}

/** The learned floors of all domains, kept in a file where one is configured. */
export class FloorStore {
  readonly #path: string | null;
  readonly #cpuCount: CpuCount;
  readonly #log: Log;
  readonly #learners = new Map<string, FloorLearner>();

  constructor(path: string | null, cpuCount: CpuCount, log: Log) {
    this.#path = path;
    this.#cpuCount = cpuCount;
    this.#log = log;
  }

  /** Takes what an earlier run has learned. An unusable file is no reason to stop. */
  load(): void {
    if (this.#path === null) return;
    try {
      for (const [key, quietWatts] of loadQuietWatts(this.#path)) {
        this.#learners.set(key, new FloorLearner(this.#cpuCount, quietWatts));
      }
    } catch (error) {
      this.#log.warn(`${describeError(error)}; floors are learned again`);
    }
  }

  /** Keeps what has been learned for the next run. */
  save(): void {
    if (this.#path === null || this.#learners.size === 0) return;
    try {
      const learned = [...this.#learners].map(([key, { quietWatts }]) => [key, quietWatts] as const);
      saveQuietWatts(this.#path, new Map(learned));
    } catch (error) {
      this.#log.warn(describeError(error));
    }
  }

  /** @param key the same in every run for the same domain */
  learnerOf(key: string): FloorLearner {
    return findOrAdd(this.#learners, key, () => new FloorLearner(this.#cpuCount));
  }
}

/** The power of the quiet windows of each domain, by the domain's key. */
export type QuietWatts = ReadonlyMap<string, readonly number[]>;

/**
 * What an earlier run has learned. A file that does not exist counts as an empty one.
 * @throws Error when it cannot be read, is not such a file, or could not be written later
 */
export function loadQuietWatts(path: string): QuietWatts {
  checkFolder(path);
  const text = findRegularText(path);
  if (text === undefined) return new Map();
  try {
    return parseQuietWatts(JSON.parse(text));
  } catch (error) {
    throw new Error(`Cannot parse ${path}: ${describeError(error)}`, { cause: error });
  }
}

/**
 * Keeps what was learned for the next run.
 * @throws Error when it cannot be written
 */
export function saveQuietWatts(path: string, quietWatts: QuietWatts): void {
  const text = JSON.stringify({ quiet_watts: Object.fromEntries(quietWatts) });
  replaceFile(path, `${text}\n`);
}

/** A folder that cannot be written is reported at the start, not after the first hour of learning. */
function checkFolder(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${describeError(error)}`, { cause: error });
  }
}

function parseQuietWatts(value: unknown): QuietWatts {
  const quietWatts = isMap(value) ? value['quiet_watts'] : undefined;
  if (!isMap(quietWatts)) throw new Error('expected a map with the key "quiet_watts", found none');
  return new Map(Object.entries(quietWatts).map(([key, watts]) => [key, parseWatts(key, watts)]));
}

function parseWatts(key: string, watts: unknown): readonly number[] {
  if (!Array.isArray(watts)) throw new Error(`expected a list of watts at "${key}", found none`);
  return watts.filter((one): one is number => typeof one === 'number' && one >= 0);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
