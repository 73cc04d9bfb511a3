import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { describeError } from '../errors.js';
import { findRegularText } from '../linux/regular-file.js';
import { replaceFile } from '../linux/replace-file.js';
import { findOrAdd } from '../model/plan.js';
import { FloorLearner, type CpuCount } from './floor-learner.js';

/** Where problems of the file are reported. */
interface Warnings {
  warn(message: string): void;
}

/** The file of learned floors; a null path: they are not kept. */
interface StateFile {
  readonly state_file: string | null;
  /** Whether another process keeps the file. */
  readonly state_read_only: boolean;
}

/** The learned floors of all domains, kept in a file where one is configured. */
export class FloorStore {
  readonly #path: string | null;
  readonly #cpuCount: CpuCount;
  readonly #log: Warnings;
  readonly #isReadOnly: boolean;
  #isLoaded = false;
  readonly #learners = new Map<string, FloorLearner>();

  constructor(
    { state_file: path, state_read_only: isReadOnly }: StateFile,
    cpuCount: CpuCount,
    log: Warnings,
  ) {
    this.#path = path;
    this.#isReadOnly = isReadOnly;
    this.#cpuCount = cpuCount;
    this.#log = log;
  }

  /** Loads what an earlier run has learned. An unusable file is no reason to stop. */
  load(): void {
    if (this.#path === null) return;
    try {
      for (const [key, quietWatts] of loadQuietWatts(this.#path, this.#isReadOnly)) {
        this.#learners.set(key, new FloorLearner(this.#cpuCount, quietWatts));
      }
      this.#isLoaded = true;
    } catch (error) {
      const rest = this.#isReadOnly ? 'idle energy is not separated' : 'floors are learned again';
      this.#log.warn(`${describeError(error)}; ${rest}`);
    }
  }

  /** Saves what has been learned for the next run. */
  save(): void {
    if (this.#path === null || this.#isReadOnly || this.#learners.size === 0) return;
    try {
      const learned = [...this.#learners].map(([key, { quietWatts }]) => [key, quietWatts] as const);
      saveQuietWatts(this.#path, new Map(learned));
    } catch (error) {
      this.#log.warn(describeError(error));
    }
  }

  /** @param key the same in every run for the same domain */
  learnerOf(key: string): FloorLearner {
    return findOrAdd(this.#learners, key, () => {
      if (this.#isReadOnly && this.#isLoaded) this.#warnOfMissing(key);
      return new FloorLearner(this.#cpuCount);
    });
  }

  #warnOfMissing(key: string): void {
    const known = [...this.#learners.keys()].join(', ') || 'none';
    this.#log.warn(
      `Cannot find the floor of ${key} in ${this.#path}: expected one that an agent has learned on this machine, ` +
        `found ${known}; idle energy is not separated`,
    );
  }
}

/** The power of the quiet windows of each domain, by the domain's key. */
export type QuietWatts = ReadonlyMap<string, readonly number[]>;

/**
 * Loads what an earlier run has learned. A file that does not exist counts as empty, unless it is only read.
 * @throws Error when it cannot be read, is not a file of floors, or could not be written later
 */
export function loadQuietWatts(path: string, isReadOnly = false): QuietWatts {
  if (!isReadOnly) checkFolder(path);
  const text = findRegularText(path);
  if (text === undefined) {
    if (!isReadOnly) return new Map();
    throw new Error(
      `Cannot read ${path}: expected floors that an agent has learned (state_file), found no file`,
    );
  }
  try {
    return parseQuietWatts(JSON.parse(text));
  } catch (error) {
    throw new Error(`Cannot parse ${path}: ${describeError(error)}`, { cause: error });
  }
}

/**
 * Saves what was learned for the next run.
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
