import { hostname } from 'node:os';
import type { Calibration } from '../../src/energy/calibration.js';
import type { FloorLearner } from '../../src/energy/floor-learner.js';
import type { FloorStore } from '../../src/energy/floor-store.js';
import { findMachineId } from '../../src/identity/machine-id.js';
import { identifyDomain } from '../../src/model/energy-domain.js';
import { ATTR_ENERGY_METHOD, ATTR_HOST_ID, ATTR_HOST_NAME } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { remainderType } from '../../src/model/shared-metrics.js';
import type { Window } from '../../src/usage/windows.js';
import type { Config } from './config.js';

/** The origin of a domain's floor. */
export type FloorSource = 'set' | 'model' | 'learned' | 'persisted' | 'calibrated';

/** The floor of a domain and its origin. */
export interface FloorPower {
  readonly watts: number;
  readonly source: FloorSource;
  /** Possible error; a configured floor is assumed to be exact. */
  readonly errorWatts: number;
}

/**
 * The power of a domain when nothing runs: in order of precedence the configured one, the one its model
 * reports, the one learned by this or an earlier run, the one measured by a calibration.
 */
export class Floor {
  readonly #setWatts: number | undefined;
  readonly #learner: FloorLearner | undefined;
  readonly #calibratedWatts: number | undefined;
  #modelWatts: number | undefined;
  #current: FloorPower | undefined;

  /**
   * @param learner undefined: the floor cannot be learned
   * @param calibratedWatts undefined: no calibration
   */
  constructor(setWatts: number | undefined, learner: FloorLearner | undefined, calibratedWatts?: number) {
    this.#setWatts = setWatts;
    this.#learner = learner;
    // A meter of the host may show less than the sensors within it.
    this.#calibratedWatts = calibratedWatts === undefined ? undefined : Math.max(0, calibratedWatts);
    this.#choose();
  }

  /** Undefined: not known. The same object as long as the floor does not change. */
  get current(): FloorPower | undefined {
    return this.#current;
  }

  /** Whether further quiet windows can make it known. */
  get isLearnable(): boolean {
    return this.#learner !== undefined;
  }

  /** @param watts idle power of the domain, as reported by its model; negative or not finite: no reading */
  takeModel(watts: number): void {
    if (!(watts >= 0 && watts < Infinity) || watts === this.#modelWatts) return;
    this.#modelWatts = watts;
    this.#choose();
  }

  /** Learns from a settled window. */
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
    const isLearned = found.source === 'learned' || found.source === 'persisted';
    const errorWatts = isLearned ? (this.#learner?.errorWatts ?? 0) : 0;
    const { watts, source, errorWatts: knownError } = this.#current ?? {};
    if (found.watts === watts && found.source === source && errorWatts === knownError) return;
    this.#current = found.watts === undefined ? undefined : { ...found, watts: found.watts, errorWatts };
  }

  #find(): { readonly watts: number | undefined; readonly source: FloorSource } {
    if (this.#setWatts !== undefined) return { watts: this.#setWatts, source: 'set' };
    if (this.#modelWatts !== undefined) return { watts: this.#modelWatts, source: 'model' };
    const { watts, isPersisted } = this.#learner ?? {};
    if (watts !== undefined) return { watts, source: isPersisted ? 'persisted' : 'learned' };
    return { watts: this.#calibratedWatts, source: 'calibrated' };
  }
}

/** The sources of the floors of all domains. */
export interface FloorSources {
  readonly config: Pick<Config, 'floor' | 'root'>;
  readonly floors: FloorStore;
  /** By the `hw.id` of the meters. */
  readonly calibrations: ReadonlyMap<string, Calibration>;
}

/** @param isExplained whether it is known when the hardware is not used */
export function createFloor(
  series: Series,
  isExplained: boolean,
  { config, floors, calibrations }: FloorSources,
): Floor {
  const { hwType, hwId } = identifyDomain(series);
  const set = config.floor.find(
    ({ hw_type, hw_id }) => (hw_type ?? hwType) === hwType && (hw_id ?? hwId) === hwId,
  );
  // A model reports its floor.
  const isLearnable = series.attributes[ATTR_ENERGY_METHOD] !== 'estimated' && isExplained;
  const learner = isLearnable
    ? floors.learnerOf([machineOf(series, config.root), hwType, hwId].join('/'))
    : undefined;
  return new Floor(set?.power ?? undefined, learner, findCalibration(series, calibrations)?.idleRemainder);
}

/** A calibration applies only to remainders. */
export function findCalibration(
  series: Series,
  calibrations: FloorSources['calibrations'],
): Calibration | undefined {
  const { hwType, hwId } = identifyDomain(series);
  return hwType === remainderType ? calibrations.get(hwId) : undefined;
}

/** The machine of a saved floor: the file may move to another machine with the disk. */
function machineOf({ resource: { attributes } }: Series, root: string): string {
  return String(attributes[ATTR_HOST_ID] ?? attributes[ATTR_HOST_NAME] ?? findMachineId(root) ?? hostname());
}
