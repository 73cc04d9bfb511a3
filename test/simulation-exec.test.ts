import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as attribution } from '../processors/attribution/factory.js';
import { createEnergySeries } from '../receivers/simulator/metrics.js';
import { SimulatorSampler } from '../receivers/simulator/sampler.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { reportRun, type EnergyReport } from '../src/exec/report.js';
import { RunRecorder } from '../src/exec/run-recorder.js';
import type { Metric, Series } from '../src/model/series.js';
import { createRow } from '../src/model/table.js';
import { busyTime, processCpuTime } from '../src/model/usage-metrics.js';
import { createSpec } from '../src/simulation/machine-spec.js';

const epoch = 1_700_000_000_000_000_000n;
const identity = { 'process.pid': 7 };
const refreshS = 0.2;
const runS = 1.05;

interface Measured extends EnergyReport {
  /** Joules of the machine at its idle power for the duration of the run. */
  readonly floorJoules: number;
}

/**
 * Measures a command that uses nothing on a machine that uses nothing but its idle power, with meters that are
 * refreshed every 200 ms and read every 10 ms.
 * @param startS time between the first reading and the start of the command
 */
function measureNothing(startS: number, idle = 'separate'): Measured {
  let us = 0;
  const nothing = { processes: 0, arrivalsPerSecond: 0, gpus: 0, sockets: 1 };
  const sampler = new SimulatorSampler(createSpec({ ...nothing, refreshUs: refreshS * 1e6 }), () => us);
  const series = createEnergySeries(sampler.columns, { attributes: {} }, epoch);
  const meters = sampler.columns.domains.filter(({ kind }) => kind === 'package' || kind === 'dram');
  const floor = meters.map(({ kind, floorMilliwatts }) => ({
    hw_type: kind === 'package' ? 'cpu' : 'memory',
    power: floorMilliwatts / 1000,
  }));
  const book = new RunRecorder(epoch);
  if (idle !== 'separate') book.shareIdle();
  const processor = attribution.create(
    parseSettings(attribution.schema, { views: ['process'], process_limit: 0, floor, idle }),
    createFakeContext(),
    { consume: (table) => (book.take(table), true) },
  );
  void processor.start();
  const wallNs = () => epoch + BigInt(us) * 1000n;
  const create = (metric: Metric, attributes = {}): Series => ({
    metric,
    resource: { attributes },
    attributes: {},
    start: wallNs(),
  });
  let command: readonly Series[] = [];
  const busy = [create(busyTime)];
  const scan = () => {
    if (command.length > 0) processor.consume(createRow(command, wallNs(), Float64Array.of(0)));
    processor.consume(createRow(busy, wallNs(), Float64Array.of(0)));
  };
  const [startUs, endUs] = [startS, startS + runS].map((seconds) => Math.round(seconds * 1e6));
  for (; us <= (endUs ?? 0) + 10_000; us += 10_000) {
    const values = new Float64Array(sampler.width);
    sampler.read(values, 0);
    processor.consume({ series, epoch: wallNs(), offsets: new Float64Array(1), values });
    if (us === startUs) command = [create(processCpuTime, identity)];
    if (us % 100_000 === 0 || us === startUs || us === endUs) scan();
    if (us === startUs || us === endUs) book.mark(wallNs());
  }
  void processor.shutdown();
  const cpuTime = { totalNs: 0, userNs: 0, systemNs: 0, source: 'perf' as const, refusal: undefined };
  const { energy } = reportRun(
    {
      startedAt: new Date(0),
      wallSeconds: runS,
      end: { exitCode: 0, signal: undefined },
      cpu: { ...cpuTime, programs: [{ name: '', cpuNs: 0, processes: 1 }] },
      counts: undefined,
      maxRssBytes: undefined,
      identity,
      mark: 0,
      baselineMark: undefined,
    },
    book,
  );
  assert.ok(energy);
  return { ...energy, floorJoules: runS * floor.reduce((sum, { power }) => sum + power, 0) };
}

const starts = Array.from({ length: 20 }, (_, i) => (10 + 3 * i) / 100);

test('exec states the idle power times the duration as the energy of a command that uses nothing, all of it idle', () => {
  for (const startS of starts) {
    const { floorJoules, shares, joules, isIdleKnown, domains } = measureNothing(startS);
    assert.ok(isIdleKnown && shares);
    const said = `${startS} s: ${shares.idle} of ${joules} J are idle, expected ${floorJoules} J`;
    // Refreshes are found within a reading of 10 ms.
    assert.ok(Math.abs(joules / floorJoules - 1) < 0.01, said);
    assert.ok(Math.abs(shares.idle / joules - 1) < 0.01, said);
    assert.ok(shares.command === 0 && shares.others < 0.01 * joules, said);
    assert.ok(domains.every(({ isExtended }) => isExtended));
  }
});

test('exec states no idle energy where that is shared among processes', () => {
  const { shares, joules } = measureNothing(0.3, 'equal');
  assert.ok(shares);
  const { command, idle, others } = shares;
  assert.ok(command > 0.95 * joules, `${command} of ${joules} J`);
  assert.ok(
    Math.abs(command + idle + others - joules) < 1e-9,
    `${command}, ${idle}, ${others} of ${joules} J`,
  );
});
