import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BriefProcess } from '../../src/linux/bpf/accounted-process.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { createBrief } from './brief-process.fixture.js';
import { BriefProcesses } from './brief-processes.js';

test('BriefProcesses removes a program that has not run for 120 scans, and holds at most 1,000', () => {
  const brief = new BriefProcesses((name) => ({ attributes: { name } }), {
    forgottenAfter: 120,
    packages: [],
  });
  brief.begin(1n);
  for (let index = 0; index < 1002; index++) brief.add(createBrief(`program-${index}`));
  assert.equal(brief.read(5n)?.series.length, 1001);
  const values = brief.read(5n)?.values ?? [];
  assert.equal(values[1000], 0.002);
  for (let scan = 0; scan < 119; scan++) {
    brief.begin(2n);
    brief.add(createBrief('program-0'));
    assert.deepEqual(brief.takeForgotten(), []);
  }
  brief.begin(2n);
  assert.equal(brief.takeForgotten().length, 1000);
  assert.equal(brief.read(5n)?.series.length, 1);
});

test('BriefProcesses adds up the CPU time on each package', () => {
  const brief = new BriefProcesses((name) => ({ attributes: { name } }), {
    forgottenAfter: 120,
    packages: [0, 2],
  });
  brief.begin(1n);
  for (const used of [
    [1e9, 0],
    [5e8, 25e7],
  ]) {
    brief.add(createBrief('make', { cpuTimeNs: 1e9, packageNs: Float64Array.from(used) }));
  }
  brief.read(5n);
  brief.add(createBrief('make', { cpuTimeNs: 1e9, packageNs: Float64Array.of(0, 1e9) }));
  const { series = [], values = [] } = brief.read(6n) ?? {};
  assert.deepEqual(
    series.map(({ metric, attributes }) => [metric.name, attributes['cpu.package']]),
    [
      ['process.cpu.time', undefined],
      ['process.cpu.package.time', 0],
      ['process.cpu.package.time', 2],
    ],
  );
  assert.deepEqual([...values], [3, 1.5, 1.25]);
});

/** A program by name and user: cgroups without a path do not tell processes apart. */
const identify = (name: string, { userId }: BriefProcess) => ({
  attributes: { 'process.executable.name': name, 'process.owner': String(userId) },
});

function scanBrief(scans: readonly (readonly BriefProcess[])[], forgottenAfter = 100) {
  const brief = new BriefProcesses(identify, { forgottenAfter, packages: [] });
  return scans.map((processes, scan) => {
    brief.begin(BigInt(scan));
    for (const process of processes) brief.add(process);
    const { series = [], values = [] } = brief.read(BigInt(scan + 1)) ?? {};
    const rows = series.map(({ resource }, column) => [resource.attributes['process.owner'], values[column]]);
    return { rows, ended: brief.takeForgotten().length };
  });
}

test('BriefProcesses adds up what several cgroups and the same resource used in one series', () => {
  const scans = scanBrief([
    [createBrief('job', { cgroupId: 1 }), createBrief('job', { cgroupId: 2 })],
    [createBrief('job', { cgroupId: 3 }), createBrief('job', { cgroupId: 1 })],
  ]);
  assert.deepEqual(
    scans.map(({ rows }) => rows),
    [[['0', 0.002]], [['0', 0.004]]],
  );
});

test('BriefProcesses keeps the users of the same program apart', () => {
  const [{ rows }] = scanBrief([[createBrief('job', { userId: 1 }), createBrief('job', { userId: 2 })]]);
  assert.deepEqual(rows, [
    ['1', 0.001],
    ['2', 0.001],
  ]);
});

test('BriefProcesses starts a new series for each cgroup of a program that was forgotten', () => {
  const [first, second] = [1, 2].map((cgroupId) => createBrief('job', { cgroupId }));
  const scans = scanBrief([[first], [second], [second], [], [], [second]], 2);
  assert.deepEqual(
    scans.map(({ rows, ended }) => [rows[0]?.[1], ended]),
    [
      [0.001, 0],
      [0.002, 0],
      [0.003, 0],
      [0.003, 0],
      [0.003, 1],
      [0.001, 0],
    ],
  );
});

interface Birth {
  readonly name: string;
  readonly cgroupId: number;
  readonly userId: number;
  readonly cpuTimeNs: number;
}

interface RandomScan {
  readonly births: readonly Birth[];
  /** Cgroups that have a path in this scan. */
  readonly alive: readonly number[];
  /** Whether all series end after it, as when the clock is set. */
  readonly isBreak: boolean;
}

const cgroupIds = [1, 2, 3, 4];
const randomScans: fc.Arbitrary<readonly RandomScan[]> = fc.array(
  fc.record({
    births: fc.array(
      fc.record({
        name: fc.constantFrom('make', 'cc', 'sh'),
        cgroupId: fc.constantFrom(...cgroupIds),
        userId: fc.constantFrom(0, 1000),
        cpuTimeNs: fc.integer({ min: 0, max: 5_000_000 }),
      }),
      { maxLength: 8 },
    ),
    alive: fc.subarray(cgroupIds),
    isBreak: fc.oneof(
      { weight: 9, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  }),
  { maxLength: 20 },
);

test('BriefProcesses publishes no counter twice in a row, and none that falls, whatever cgroups and users come and go', () => {
  holdsFor(randomScans, (scans) => {
    let alive: readonly number[] = [];
    const identifyNow = (name: string, { cgroupId, userId }: BriefProcess) => ({
      attributes: { name, userId, ...(alive.includes(cgroupId) && { cgroupId }) },
    });
    const brief = new BriefProcesses(identifyNow, { forgottenAfter: 3, packages: [] });
    const values = new Map<string, number>();
    for (const [number, scan] of scans.entries()) {
      ({ alive } = scan);
      brief.begin(BigInt(number));
      for (const { name, ...changes } of scan.births) brief.add(createBrief(name, changes));
      const { series = [], values: row = [] } = brief.read(BigInt(number + 1)) ?? {};
      const keys = series.map(({ resource, attributes, start }) =>
        JSON.stringify([resource.attributes, attributes, String(start)]),
      );
      assert.equal(new Set(keys).size, keys.length, keys.join('\n'));
      for (const [column, key] of keys.entries()) {
        const value = row[column] ?? NaN;
        assert.ok(value >= (values.get(key) ?? 0), `${key} fell from ${values.get(key)} to ${value}`);
        values.set(key, value);
      }
      if (scan.isBreak) brief.endSeries();
      else brief.takeForgotten();
    }
    const usedNs = scans.flatMap(({ births }) => births).reduce((sum, { cpuTimeNs }) => sum + cpuTimeNs, 0);
    const publishedNs = [...values.values()].reduce((sum, seconds) => sum + seconds * 1e9, 0);
    assert.ok(Math.abs(publishedNs - usedNs) < 1, `${publishedNs} of ${usedNs} ns`);
  });
});
