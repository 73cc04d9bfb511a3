import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Metric, Series } from '../model/series.js';
import { createRow } from '../model/table.js';
import { describeProgram } from './command-programs.js';
import type { CommandCpuTime } from './command-usage.js';
import type { RunRecord } from './measure-run.js';
import { reportRun } from './report.js';
import { RunRecorder } from './run-recorder.js';

const origin = 1_800_000_000_000_000_000n;
const metric: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
};
const attributes = { 'hw.type': 'cpu', 'hw.id': 'package-0', 'energy.method': 'estimated' };
const columns: readonly Series[] = [{ metric, resource: { attributes: {} }, attributes, start: origin }];

function createRecord(
  mark: number,
  source: CommandCpuTime['source'],
  programs: CommandCpuTime['programs'],
): RunRecord {
  return {
    startedAt: new Date(0),
    wallSeconds: 1,
    end: { exitCode: 0, signal: undefined },
    cpu: { totalNs: 1e9, userNs: 1e9, systemNs: 0, source, refusal: undefined, programs },
    counts: undefined,
    maxRssBytes: undefined,
    identity: { 'process.pid': 7, 'process.executable.name': 'make', 'process.owner': 'me' },
    mark,
    baselineMark: undefined,
  };
}

test('reportRun gives no peak below the mean, when most energy was used near the edges', () => {
  const recorder = new RunRecorder(origin);
  const takeAt = (ms: number, joules: number) =>
    recorder.take(createRow(columns, origin + BigInt(ms) * 1_000_000n, Float64Array.of(joules)));
  const markAt = (ms: number) => recorder.mark(origin + BigInt(ms) * 1_000_000n);
  takeAt(0, 0);
  const mark = markAt(1000);
  markAt(1300);
  for (const [ms, joules] of [[960, 0], [1060, 5], [1170, 5.2], [1280, 5.4], [1390, 15]]) takeAt(ms, joules); // prettier-ignore
  const record = createRecord(mark, 'perf', []);
  const [domain] = reportRun(record, recorder).energy?.domains ?? [];
  assert.ok(domain?.peakWatts !== undefined);
  assert.ok(domain.peakWatts >= domain.meanWatts, `${domain.peakWatts} W, mean ${domain.meanWatts} W`);
});

const usage = (name: string, cpuNs: number, processes: number) => ({ name, cpuNs, processes });

test('reportRun sums up time and energy by program, and all programs are the share of the command', () => {
  const recorder = new RunRecorder(origin);
  const mark = recorder.mark(origin + 1n);
  recorder.mark(origin + 1_000_000_001n);
  const programs = [usage('make', 1e8, 1), usage('cc1', 8e8, 40), usage('make', 3e8, 2)];
  const record = createRecord(mark, 'ebpf', programs);
  const energyOf = (resource: Attributes): Series => ({
    metric: { ...metric, name: 'process.energy' },
    resource: { attributes: resource },
    attributes: { 'hw.type': 'cpu' },
    start: origin,
  });
  const { identity } = record;
  const workloads = [
    energyOf(identity),
    energyOf(describeProgram(identity, 'cc1')),
    energyOf(describeProgram(identity, 'make')),
    energyOf({ 'process.pid': 8, 'process.executable.name': 'cc1', 'process.owner': 'me' }),
  ];
  const ledger: Series = {
    metric: { ...metric, name: 'ledger.energy' },
    resource: { attributes: {} },
    attributes: {},
    start: origin,
  };
  recorder.take(createRow(columns, origin + 2_000_000_000n, Float64Array.of(40)));
  recorder.take(createRow([...workloads, ledger], origin + 2_000_000_000n, Float64Array.of(1, 8, 3, 99, 0)));
  const report = reportRun(record, recorder);
  assert.deepEqual(report.programs, [
    { name: 'cc1', processes: 40, cpuSeconds: 0.8, joules: 8 },
    { name: 'make', processes: 3, cpuSeconds: 0.4, joules: 4 },
  ]);
  assert.equal(report.energy?.shares?.command, 12);
  assert.equal(reportRun(createRecord(mark, 'perf', programs), recorder).programs, undefined);
});
