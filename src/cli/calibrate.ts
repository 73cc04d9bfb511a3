import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceConfig } from '../config/service.js';
import { saveCalibration } from '../energy/calibration.js';
import { createOneShotService, createRecorderFactory } from '../exec/one-shot-service.js';
import { createWallClock } from '../linux/clock.js';
import { raplEnergy } from '../model/energy-domain.js';
import { hostEnergy, hwEnergy, meterEnergy } from '../model/shared-metrics.js';
import { writeMessage } from '../telemetry/write-message.js';
import { BusyLoad, CommandLoad } from './calibrate/load.js';
import { MeterReadings } from './calibrate/meter-readings.js';
import { parseCalibrateOptions, type CalibrateOptions } from './calibrate/options.js';
import { createCalibrationReport } from './calibrate/report.js';
import { createNoSensorsError, runPhases } from './calibrate/run-phases.js';
import { exitCodes, type Command } from './command.js';
import { configUsage, validateConfigOf } from './config-options.js';
import { waitForEnd } from './signals.js';

/** Compares a meter with the sensors within the machine. */
export const command: Command = {
  name: 'calibrate',
  summary: 'Compare a meter with the sensors inside the machine',
  usage: `Usage: joulemetry calibrate [OPTIONS]

Reads the energy receivers of the configuration while the machine is idle, at
several levels of load and idle again, and compares a meter (a BMC, a wattmeter,
psys) with the sum of the measured domains (hw.energy). It prints the offset,
the gain and, if the points show one, the curve, with 95 % intervals. It stores
them in a file for the setting calibration_file of the processor attribution.

Run it on a machine that does nothing else: 4 minutes with 4 levels.

Options:
${configUsage}
      --meter ID        hw.id or hw.name of the meter (default: the one of
                        hw.host.energy)
      --load COMMAND    shell command that generates the load, restarted when
                        it ends (default: processes that keep CPUs busy)
      --levels N        levels of the built-in load (default: 4)
      --phase TIME      how long to measure each level (default: 30s)
      --settle TIME     how long to wait before measuring (default: 10s)
  -o, --output FILE     file of calibrations, one for each meter (default:
                        calibration.json)

Exits with 1 if there is nothing to compare, the meter is too slow for the
phases, or the load does not change the power.
`,
  async run(args) {
    const options = parseCalibrateOptions(args);
    const readings = new MeterReadings();
    const config = readingOnly(await validateConfigOf(options), readings);
    const result = await withService(config, () => measure(options, readings));
    process.stdout.write(createCalibrationReport(result));
    saveCalibration(options.output, result.meter.id, result.calibration);
    process.stdout.write(`Written to ${options.output}\n`);
    return exitCodes.success;
  },
};

const energyNames: ReadonlySet<string> = new Set(
  [hwEnergy, hostEnergy, meterEnergy, raplEnergy].map(({ name }) => name),
);

/** Only the energy receivers of a configuration, except models, connected to the readings. */
function readingOnly(config: ServiceConfig, readings: MeterReadings): ServiceConfig {
  const used = new Set(config.pipelines.flatMap(({ receivers }) => receivers));
  const receivers = [...config.receivers.values()].filter(
    ({ id, factory: { metrics, yields } }) =>
      used.has(id) &&
      yields !== 'model' &&
      (metrics.length === 0 || metrics.some(({ name }) => energyNames.has(name))),
  );
  if (receivers.length === 0) throw createNoSensorsError();
  const id = 'calibration';
  const keys = { start: 'required', fallback_for: [] } as const;
  const exporter = {
    kind: 'exporter',
    id,
    type: id,
    factory: createRecorderFactory(readings),
    settings: {},
    keys,
    origin: undefined,
  } as const;
  return {
    ...config,
    receivers: new Map(receivers.map((one) => [one.id, one])),
    processors: new Map(),
    exporters: new Map([[id, exporter]]),
    pipelines: [
      { id: 'metrics', receivers: receivers.map((one) => one.id), processors: [], exporters: [id] },
    ],
    runningExtensions: [],
  };
}

async function withService<Result>(config: ServiceConfig, work: () => Promise<Result>): Promise<Result> {
  const service = createOneShotService(config, createWallClock());
  try {
    await service.start();
    return await work();
  } finally {
    await service.shutdown();
  }
}

async function measure(options: CalibrateOptions, readings: MeterReadings) {
  const stop = new AbortController();
  void waitForEnd().then((signal) =>
    stop.abort(new Error(`Cannot calibrate: expected to measure every phase, found ${signal}`)),
  );
  const fail = (reason: string) =>
    stop.abort(
      new Error(`Cannot calibrate: expected a load that keeps running, found that it ended with ${reason}`),
    );
  const load =
    options.load === undefined ? new BusyLoad(options.levels) : new CommandLoad(options.load, fail);
  const wait = async (ms: number) => {
    await sleep(ms, undefined, { signal: stop.signal }).catch(() => {});
    stop.signal.throwIfAborted();
  };
  return runPhases({
    ...options,
    readings,
    load,
    wait,
    onPhase: (name) => writeMessage(`Measuring: ${name}`),
    at: Math.floor(Date.now() / 1000),
  });
}
