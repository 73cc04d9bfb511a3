import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CountedEvent } from '../../src/linux/perf/counted-event.js';
import { perfType } from '../../src/linux/perf/event.js';
import { DerivedColumns, Layout, type Owner } from './layout.js';
import { ScaledCounts } from './scaled-counts.js';

function createEvent(name: string, config: bigint, change: Partial<CountedEvent> = {}): CountedEvent {
  const place = { pmu: '', cpus: undefined, isTask: true };
  const type = change.isSoftware === true ? perfType.software : perfType.hardware;
  return {
    name,
    encodings: [{ type, config, config1: 0n, config2: 0n, config3: 0n, ...place }],
    modifiers: {},
    unit: '{event}',
    scale: 1,
    isSoftware: false,
    isKernelOnly: false,
    ...change,
  };
}

const cycles = createEvent('cycles', 0n);
const instructions = createEvent('instructions', 1n);
const clock = createEvent('task-clock', 1n, { isSoftware: true, unit: 's', scale: 1e-9 });

/** Counts that grow by the same amount at every reading. */
function createCounts(growth: readonly number[], enabledMs: number, runningMs: number): ScaledCounts {
  const times = { enabledNs: enabledMs * 1e6, runningNs: runningMs * 1e6 };
  const group = {
    width: growth.length,
    ...times,
    error: undefined,
    read: () => true,
    countOf: (index: number) => growth[index],
    rebase() {},
    close() {},
  };
  return new ScaledCounts([group], true);
}

function ownersOn(cpu: number | undefined, ...events: readonly CountedEvent[]): readonly Owner[] {
  return events.map((event) => ({ event, cpu, pmu: undefined }));
}

function readRow(layout: Layout): readonly number[] {
  const values = new Float64Array(layout.columns.length);
  layout.read(values, 0);
  return [...values];
}

function describeColumns({ columns }: Layout): readonly string[] {
  return columns.map(({ metricName, attributes }) => [metricName, ...Object.values(attributes)].join(' '));
}

test('read sums CPUs, and reports running ratios and instructions per cycle', () => {
  const layout = new Layout();
  layout.add(createCounts([100, 300], 100, 50), ownersOn(undefined, cycles, instructions));
  layout.add(createCounts([200, 100], 100, 100), ownersOn(undefined, cycles, instructions));
  layout.add(createCounts([5e7], 100, 100), ownersOn(undefined, clock));
  layout.finish(true, 1);
  assert.deepEqual(describeColumns(layout), [
    'perf.event.count cycles',
    'perf.event.count instructions',
    'perf.event.time task-clock',
    'perf.event.running_ratio cycles',
    'perf.event.running_ratio instructions',
    'perf.instructions_per_cycle instructions',
  ]);
  // The first CPU counted half of the time, so its count is doubled.
  assert.deepEqual(readRow(layout), [400, 700, 0.05, 0.75, 0.75, NaN]);
  assert.deepEqual(readRow(layout), [800, 1400, 0.1, 0.75, 0.75, 1.75]);
});

test('read keeps CPUs apart, each with its own ratios, and leaves out ratios that were not requested', () => {
  const layout = new Layout();
  for (const cpu of [0, 1])
    layout.add(createCounts([100, 50], 100, 100), ownersOn(cpu, cycles, instructions));
  layout.finish(false, 1);
  assert.deepEqual(describeColumns(layout), [
    'perf.event.count cycles 0',
    'perf.event.count instructions 0',
    'perf.event.count cycles 1',
    'perf.event.count instructions 1',
    'perf.instructions_per_cycle instructions 0',
    'perf.instructions_per_cycle instructions 1',
  ]);
  readRow(layout);
  assert.deepEqual(readRow(layout), [200, 100, 200, 100, 0.5, 0.5]);
});

function readAll(columns: DerivedColumns, rows: readonly (readonly number[])[]): readonly number[] {
  return rows.map((row) => {
    const values = new Float64Array(2);
    columns.write(Float64Array.from(row), values, 1);
    return values[1];
  });
}

test('write divides the growth in a window, and shows the result until the next window ends', () => {
  const rows = [
    [100, 50],
    [110, 60],
    [130, 70],
    [140, 80],
    [150, 80],
    [160, 80],
    [170, 90],
  ];
  const columns = new DerivedColumns([[0, 1]], 2);
  assert.deepEqual(readAll(columns, rows), [NaN, NaN, 1.5, 1.5, 2, 2, 2]);
});

test('write has no value when the denominator did not change or is unknown', () => {
  const rows = [
    [0, 0],
    [5, 0],
    [6, NaN],
    [7, 1],
    [9, 2],
  ];
  const nothing = NaN;
  assert.deepEqual(readAll(new DerivedColumns([[0, 1]], 1), rows), [nothing, nothing, nothing, nothing, 2]);
});
