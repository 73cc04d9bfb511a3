import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../../model/series.js';
import { hostEnergy, hwEnergy, meterEnergy } from '../../model/shared-metrics.js';
import { createRow } from '../../model/table.js';
import { createRandom, type Random } from '../../testing/random.fixture.js';
import { MeterReadings } from './meter-readings.js';
import { createCalibrationReport } from './report.js';
import { runPhases, type CalibrationResult, type Load } from './run-phases.js';

interface MachineOptions {
  readonly seed?: number;
  /** Watts of the package by level; the first one: idle. */
  readonly watts?: readonly number[];
  readonly gain?: number;
  readonly offset?: number;
  /** Standard deviation of the meter's power from reading to reading, in watts. */
  readonly noise?: number;
  readonly meterIntervalS?: number;
  readonly hasSensors?: boolean;
  readonly hasMeter?: boolean;
  readonly meterMetric?: Metric;
}

const epoch = 1_800_000_000_000_000_000n;

/** A machine whose package has a known power at each level of load, and a meter that shows offset + gain times it. */
class Machine {
  readonly readings = new MeterReadings();
  readonly names: string[] = [];
  isStopped = true;
  readonly #options: MachineOptions;
  readonly #random: Random;
  readonly #cpu: readonly Series[];
  readonly #meter: readonly Series[];
  #level: number | undefined;
  #ticks = 0;
  #cpuJ = 0;
  #meterJ = 0;

  constructor(options: MachineOptions = {}) {
    this.#options = options;
    this.#random = createRandom(options.seed ?? 1);
    const method = { 'energy.method': 'measured' };
    this.#cpu = [createSeries(hwEnergy, { ...method, 'hw.type': 'cpu', 'hw.id': 'cpu-package-0' })];
    const metric = options.meterMetric ?? hostEnergy;
    this.#meter = [createSeries(metric, { ...method, 'hw.type': 'host', 'hw.id': 'bmc' })];
  }

  get passedMs(): number {
    return this.#ticks * 100;
  }

  calibrate(meter?: string): Promise<CalibrationResult> {
    const load: Load = {
      levels: ['half', 'full'],
      start: (level) => (this.#level = level),
      stop: () => (this.#level = undefined),
    };
    return runPhases({
      readings: this.readings,
      load,
      meter,
      phaseMs: 30_000,
      settleMs: 5000,
      wait: (ms) => this.#wait(ms),
      onPhase: (name) => this.names.push(name),
      at: 1,
    }).finally(() => {
      this.isStopped = this.#level === undefined;
    });
  }

  /** Time passes in steps of 100 ms. */
  async #wait(ms: number): Promise<void> {
    await Promise.resolve();
    const { watts = [20, 60, 110], gain = 1.2, offset = 35, noise = 1, meterIntervalS = 0.1 } = this.#options;
    for (let passedMs = 0; passedMs < ms; passedMs += 100) {
      const power = watts[this.#level === undefined ? 0 : this.#level + 1] ?? NaN;
      this.#ticks += 1;
      this.#cpuJ += power * 0.1;
      this.#meterJ += (offset + gain * power + noise * this.#normal()) * 0.1;
      const at = epoch + BigInt(this.#ticks) * 100_000_000n;
      if (this.#options.hasSensors !== false)
        this.readings.take(createRow(this.#cpu, at, Float64Array.of(this.#cpuJ)));
      // As of receivers, the first reading is at the start.
      if (this.#options.hasMeter !== false && (this.#ticks - 1) % Math.round(meterIntervalS * 10) === 0) {
        this.readings.take(createRow(this.#meter, at, Float64Array.of(this.#meterJ)));
      }
    }
  }

  #normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random.fraction()));
    return radius * Math.cos(2 * Math.PI * this.#random.fraction());
  }
}

function createSeries(metric: Metric, attributes: Series['attributes']): Series {
  return { metric, resource: { attributes: {} }, attributes, start: epoch };
}

test('runPhases measures idle, each level and idle again, and ends the load', async () => {
  const machine = new Machine();
  const { phases, meter } = await machine.calibrate();
  assert.deepEqual(machine.names, ['idle', 'half', 'full', 'idle']);
  assert.deepEqual(
    phases.map(({ name }) => name),
    machine.names,
  );
  assert.equal(meter.id, 'bmc');
  assert.ok(machine.isStopped);
});

test('runPhases recovers a known gain and offset within their intervals in 95 of 100 runs', async () => {
  let [gains, offsets] = [0, 0];
  const runs = 200;
  for (let seed = 1; seed <= runs; seed++) {
    const { calibration } = await new Machine({ seed, noise: 5 }).calibrate();
    if (Math.abs(calibration.gain.value - 1.2) <= calibration.gain.halfWidth) gains += 1;
    if (Math.abs(calibration.offset.value - 35) <= calibration.offset.halfWidth) offsets += 1;
  }
  // Three standard deviations of a binomial distribution with 95 %: 9 of 200.
  for (const count of [gains, offsets]) assert.ok(Math.abs(count - 190) <= 9, `${count} of ${runs}`);
});

test('runPhases refuses a meter that is too slow for its phases, and says how long they must be', async () => {
  const machine = new Machine({ meterIntervalS: 10 });
  await assert.rejects(machine.calibrate(), {
    message:
      /^Cannot calibrate "bmc" \(hw\.host\.energy\): expected at least 5 points in a phase, found \d of a meter.*; use --phase \d+s$/u,
  });
  assert.ok(machine.isStopped);
});

test('runPhases refuses a load that does not change the power', async () => {
  const machine = new Machine({ watts: [20, 20.5, 21] });
  await assert.rejects(machine.calibrate(), {
    message:
      /^Cannot calibrate: expected a load that changes the power of the sensors by 10 %.*found 1\.00 W of 21\.00 W/u,
  });
});

test('runPhases refuses a machine without sensors, and one without the meter, before it measures', async () => {
  const withoutSensors = new Machine({ hasSensors: false });
  await assert.rejects(withoutSensors.calibrate(), {
    message: /^Cannot calibrate: expected measured energy of domains \(hw\.energy\), found none/u,
  });
  assert.equal(withoutSensors.passedMs, 5000);
  await assert.rejects(new Machine({ meterMetric: meterEnergy }).calibrate(), {
    message:
      'Cannot calibrate: expected a meter of the whole host (hw.host.energy), found "bmc" (hw.meter.energy); choose one by --meter',
  });
  await assert.rejects(new Machine({ hasMeter: false }).calibrate(), {
    message:
      'Cannot calibrate: expected a meter of the whole host (hw.host.energy), found none; configure a receiver such as ' +
      'ipmi or redfish, or choose a longer --settle if its first reading takes longer',
  });
  await assert.rejects(new Machine().calibrate('wall'), {
    message: 'Cannot calibrate: expected a meter "wall", found "bmc" (hw.host.energy); choose one by --meter',
  });
});

test('createCalibrationReport prints a table of the phases and what follows from them', async () => {
  const result = await new Machine({ noise: 0 }).calibrate('bmc');
  assert.equal(
    createCalibrationReport(result),
    `Meter:   "bmc" (hw.host.energy)
Sensors: cpu-package-0

Phase Sensors (W)   Meter (W)  Beyond (W)      Points
idle        20.00       59.00       39.00          19
half        60.00      107.00       47.00          19
full       110.00      167.00       57.00          19
idle        20.00       59.00       39.00          19

Offset:  35.00 +- 0.00 W, what the meter would show where the sensors show nothing
Gain:    1.2000 +- 0.0000 W of the meter for each watt of the sensors
Idle:    39.00 W beyond the sensors
Curve:   none at 95 % confidence
Deviation of a point from the line: 0.00 W (76 points; +- is a 95 % interval)
`,
  );
});
