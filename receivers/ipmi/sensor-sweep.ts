import { elementAt } from '../../src/element.js';
import { describeError } from '../../src/errors.js';
import { AnswerError, completion, type Bmc } from './bmc.js';
import type { Note, SensorValue } from './protocol.js';
import { SdrRepository, type RepositoryStamp } from './sdr-repository.js';
import { readSensor } from './sensor-reading.js';
import { listSensors, type Sensor } from './sensor-record.js';

/** Maximum time, plus one request, for which reading sensors delays reading the power of the host. */
const sliceMs = 250;
/** A sensor whose controller does not respond takes seconds at each attempt. It is skipped for this time. */
const restMs = 300_000;

/** The result of a slice. */
export interface SweepResult {
  /** Set if they have changed. */
  readonly sensors: readonly Sensor[] | undefined;
  readonly values: readonly SensorValue[];
  /** Whether a new sweep of all sensors begins with this slice. */
  readonly isBegun: boolean;
  readonly notes: readonly Note[];
}

/**
 * Reads all sensors of a BMC at intervals, in slices. Their records are read once, and again if the repository
 * has changed.
 */
export class SensorSweep {
  readonly #bmc: Bmc;
  readonly #repository: SdrRepository;
  readonly #intervalMs: number;
  readonly #nowMs: () => number;
  #sensors: readonly Sensor[] = [];
  #areNew = false;
  #stamp: RepositoryStamp | undefined;
  #loading: Generator<Uint8Array | undefined> | undefined;
  #loadingStamp: RepositoryStamp = '';
  #loaded: Sensor[] = [];
  #dueMs = -Infinity;
  /** Index of the next sensor to read; the number of sensors: none is due. */
  #next = 0;
  readonly #restUntilMs = new Map<Sensor, number>();
  /** Why sensors could not be read at the last attempt. */
  readonly #failures = new Map<Sensor, string>();
  /** Sensors that have been read at least once. */
  readonly #proven = new Set<Sensor>();
  #failure: string | undefined;
  #notes: Note[] = [];

  constructor(bmc: Bmc, hasRepository: boolean, intervalMs: number, nowMs: () => number) {
    this.#bmc = bmc;
    this.#repository = new SdrRepository(bmc, hasRepository);
    this.#intervalMs = intervalMs;
    this.#nowMs = nowMs;
  }

  /** Why sensors that have been read before cannot be read now. */
  get problems(): readonly string[] {
    return [...this.#failures].flatMap(([sensor, failure]) => (this.#proven.has(sensor) ? failure : []));
  }

  get sensors(): readonly Sensor[] {
    return this.#sensors;
  }

  /** Reads all records, which can take seconds. @throws Error if they cannot be read */
  load(): void {
    this.#beginLoading();
    this.#continueLoading(Infinity);
  }

  /** Continues for a slice. @throws Error if the BMC does not respond */
  advance(): SweepResult {
    const endMs = this.#nowMs() + sliceMs;
    const isBegun = this.#intervalMs < Infinity && this.#nowMs() >= this.#dueMs;
    if (isBegun) this.#begin();
    this.#continueLoadingOrNote(endMs);
    const values = this.#loading === undefined ? this.#readSome(endMs) : [];
    const sensors = this.#areNew ? this.#sensors : undefined;
    const notes = this.#notes;
    this.#areNew = false;
    this.#notes = [];
    return { sensors, values, isBegun, notes };
  }

  #begin(): void {
    this.#dueMs = this.#nowMs() + this.#intervalMs;
    if (this.#next >= this.#sensors.length) this.#next = 0;
    this.#attempt(() => {
      if (this.#loading === undefined && this.#repository.readStamp() !== this.#stamp) this.#beginLoading();
    });
  }

  #beginLoading(): void {
    this.#loadingStamp = this.#repository.readStamp();
    this.#loading = this.#repository.readRecords();
    this.#loaded = [];
  }

  #continueLoadingOrNote(endMs: number): void {
    this.#attempt(() => this.#continueLoading(endMs));
  }

  /** An error of the BMC is logged once. The request is repeated with the next sweep. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      this.#loading = undefined;
      const failure = describeError(error);
      if (failure !== this.#failure) this.#notes.push({ level: 'warn', text: failure });
      this.#failure = failure;
    }
  }

  #continueLoading(endMs: number): void {
    while (this.#loading !== undefined && this.#nowMs() < endMs) {
      const { done, value: record } = this.#loading.next();
      if (done === true) return this.#finishLoading();
      if (record) this.#loaded.push(...listSensors(record));
    }
  }

  #finishLoading(): void {
    this.#loading = undefined;
    this.#stamp = this.#loadingStamp;
    this.#sensors = this.#loaded;
    this.#areNew = true;
    this.#failure = undefined;
    this.#next = 0;
    this.#failures.clear();
    this.#proven.clear();
    this.#restUntilMs.clear();
    this.#notes.push({ level: 'info', text: `Reading ${this.#sensors.length} sensors of the BMC` });
  }

  #readSome(endMs: number): readonly SensorValue[] {
    const values: SensorValue[] = [];
    for (; this.#next < this.#sensors.length && this.#nowMs() < endMs; this.#next++) {
      const sensor = elementAt(this.#sensors, this.#next);
      if (this.#nowMs() < (this.#restUntilMs.get(sensor) ?? 0)) continue;
      const value = this.#readOne(sensor);
      values.push({ sensor: this.#next, value, atNs: process.hrtime.bigint() });
    }
    return values;
  }

  #readOne(sensor: Sensor): number {
    try {
      const value = readSensor(this.#bmc, sensor);
      this.#failures.delete(sensor);
      if (!Number.isNaN(value)) this.#proven.add(sensor);
      return value;
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      if (error.code === completion.timeout) this.#restUntilMs.set(sensor, this.#nowMs() + restMs);
      const failure = describeError(error);
      if (!this.#proven.has(sensor) && this.#failures.get(sensor) !== failure)
        this.#notes.push({ level: 'debug', text: failure });
      this.#failures.set(sensor, failure);
      return NaN;
    }
  }
}
