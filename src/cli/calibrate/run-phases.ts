import { fitCalibration, type Calibration, type PowerPair } from '../../energy/calibration.js';
import { deviationOf, meanOf } from '../../energy/statistics.js';
import { isOfHost, type Meter, type MeterReadings } from './meter-readings.js';

/** Fewer points in a phase give no standard deviation. */
const minPoints = 5;
/** The load must change the power of the sensors by this fraction and by this many standard deviations of a phase. */
const minChange = 0.1;
const minDeviations = 4;

/** What keeps the machine busy. */
export interface Load {
  /** Names of the levels, from the lightest to the heaviest; the machine is idle without a level. */
  readonly levels: readonly string[];
  /** Switches to one of its levels. */
  start(level: number): void;
  stop(): void;
}

export interface PhaseOptions {
  readonly readings: MeterReadings;
  readonly load: Load;
  /** `hw.id` or `hw.name` of the meter; undefined: that of the whole host. */
  readonly meter: string | undefined;
  readonly phaseMs: number;
  readonly settleMs: number;
  /** Waits while readings are received. */
  wait(ms: number): Promise<void>;
  /** Called at the start of each phase. */
  onPhase(name: string): void;
  /** Unix time in seconds. */
  readonly at: number;
}

/** A measured phase. */
export interface Phase {
  readonly name: string;
  readonly pairs: readonly PowerPair[];
  readonly refreshSeconds: number;
}

export interface CalibrationResult {
  readonly meter: Meter;
  readonly phases: readonly Phase[];
  readonly calibration: Calibration;
}

/**
 * Measures the idle machine, each level of the load, and the idle machine again.
 * @throws Error when there are no meters to compare, the meter is too slow, or the load does not change the
 * power
 */
export async function runPhases(options: PhaseOptions): Promise<CalibrationResult> {
  const { readings, load, at } = options;
  const plan = [undefined, ...load.levels.keys(), undefined];
  const phases: Phase[] = [];
  let meter: Meter | undefined;
  try {
    for (const level of plan) {
      const name = await beginPhase(options, level);
      // Before the first phase is measured: without a meter, it would be in vain.
      meter ??= findMeter(readings, options.meter);
      readings.beginPhase();
      await options.wait(options.phaseMs);
      phases.push(readPhase(options, meter, name));
    }
  } finally {
    load.stop();
  }
  const idle = phases.filter((_, i) => plan[i] === undefined).flatMap(({ pairs }) => pairs);
  checkChange(phases);
  const sensors = readings.sensors.map(({ id }) => id);
  const all = phases.flatMap(({ pairs }) => pairs);
  const calibration = fitCalibration(all, idle, { at, sensors });
  return { meter: meter ?? findMeter(readings, options.meter), phases, calibration };
}

/** @returns the name of the phase, after the time to settle */
async function beginPhase({ load, ...options }: PhaseOptions, level: number | undefined): Promise<string> {
  const name = level === undefined ? 'idle' : (load.levels[level] ?? '');
  options.onPhase(name);
  if (level === undefined) load.stop();
  else load.start(level);
  await options.wait(options.settleMs);
  return name;
}

function readPhase({ readings, phaseMs }: PhaseOptions, meter: Meter, name: string): Phase {
  const { pairs, refreshSeconds } = readings.readPhase(meter, phaseMs);
  if (pairs.length >= minPoints) return { name, pairs, refreshSeconds };
  const shown = refreshSeconds > 0 ? ` that changes every ${refreshSeconds.toFixed(1)} s` : '';
  const wantedS = Math.ceil(Math.max(2 * (phaseMs / 1000), 20 * refreshSeconds));
  throw new Error(
    `Cannot calibrate ${describeMeter(meter)}: expected at least ${minPoints} points in a phase, ` +
      `found ${pairs.length} of a meter${shown}; use --phase ${wantedS}s`,
  );
}

function findMeter(readings: MeterReadings, wanted: string | undefined): Meter {
  if (readings.sensors.length === 0) throw createNoSensorsError();
  const { meters } = readings;
  const found =
    wanted === undefined
      ? meters.filter(isOfHost)
      : meters.filter(({ id, name }) => id === wanted || name === wanted);
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  const expected =
    wanted === undefined ? 'a meter of the whole host (hw.host.energy)' : `a meter "${wanted}"`;
  const listed = meters.map(describeMeter).join(', ');
  const advice =
    'none; configure a receiver such as ipmi or redfish, or choose a longer --settle if its first reading takes longer';
  throw new Error(
    `Cannot calibrate: expected ${expected}, found ${listed === '' ? advice : `${listed}; choose one by --meter`}`,
  );
}

/** Nothing measures the domains within the machine. */
export function createNoSensorsError(): Error {
  return new Error(
    'Cannot calibrate: expected measured energy of domains (hw.energy), found none; configure a receiver such as rapl, ' +
      'and see "joulemetry doctor" for what it needs on this machine',
  );
}

/** Without different powers, offset and gain cannot be separated. */
function checkChange(phases: readonly Phase[]): void {
  const powers = phases.map(({ pairs }) => pairs.map(({ sensors }) => sensors));
  const means = powers.map(meanOf);
  const change = Math.max(...means) - Math.min(...means);
  const noise = Math.max(...powers.map(deviationOf));
  if (change >= minChange * Math.max(...means) && change >= minDeviations * noise) return;
  throw new Error(
    `Cannot calibrate: expected a load that changes the power of the sensors by ${minChange * 100} % and ` +
      `${minDeviations} standard deviations, found ${change.toFixed(2)} W of ${Math.max(...means).toFixed(2)} W ` +
      `with a deviation of ${noise.toFixed(2)} W; use --load with a heavier load, or wait for a quiet machine`,
  );
}

/** The name of a meter for people. */
export function describeMeter({ id, name, metric }: Meter): string {
  return `"${id}" (${name === id ? '' : `${name}, `}${metric})`;
}
