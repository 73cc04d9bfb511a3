import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seriesKey, type Series } from '../../src/model/series.js';
import { meteredEnergyNames } from '../../src/model/shared-metrics.js';
import { playRandomMachine, type MachineOptions } from './random-machine.fixture.js';
import { Rig } from './rig.fixture.js';

const idles = ['separate', 'proportional', 'equal'] as const;

const views = [
  'process',
  'program',
  'cgroup',
  'unit',
  'container',
  'pod',
  'namespace',
  'job',
  'user',
  'service',
  'vm',
];
const metrics = [
  'process.energy',
  'program.energy',
  'linux.cgroup.energy',
  'systemd.unit.energy',
  'container.energy',
  'k8s.pod.energy',
  'k8s.namespace.energy',
  'job.energy',
  'user.energy',
  'service.energy',
  'vm.energy',
  'team.energy',
];

function play(options: MachineOptions, settings: object = {}): Rig {
  const rig = new Rig({
    floor: [{ hw_type: 'cpu', power: 5 }],
    views,
    custom_views: [{ metric: 'team.energy', group_by: ['team'] }],
    ...settings,
  });
  playRandomMachine(rig, options);
  void rig.processor.shutdown();
  return rig;
}

interface Point {
  readonly at: bigint;
  readonly value: number;
}

/** Every forwarded point of every series, in order. */
function collectPoints({ out }: Rig): Map<Series, Point[]> {
  const points = new Map<Series, Point[]>();
  for (const table of out.tables) {
    for (const [cell, value] of table.values.entries()) {
      const series = table.series[cell % table.series.length];
      const at = table.epoch + BigInt(table.offsets[Math.floor(cell / table.series.length)]);
      const known = points.get(series) ?? [];
      known.push({ at, value });
      points.set(series, known);
    }
  }
  return points;
}

/** All attributed energy, including that of ended groups. */
function sumLast(rig: Rig, metric: string, hwType: string): number {
  const own = rig.out.last(metric).filter(({ series }) => series.attributes['hw.type'] === hwType);
  return own.reduce((sum, { value }) => sum + value, 0);
}

function sumPart(rig: Rig, part: string, hwType: string): number {
  const own = rig.out
    .last('ledger.energy')
    .filter(
      ({ series: { attributes } }) => attributes['ledger.part'] === part && attributes['hw.type'] === hwType,
    );
  return own.reduce((sum, { value }) => sum + value, 0);
}

/** Each published double is rounded once; sums may differ slightly for each. */
function isClose(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-12 * Math.max(1, expected);
}

/** Maximum number of series of a metric in a row, per kind of hardware. */
function countMost({ out }: Rig, metric: string): number {
  const counts = out.tables.flatMap(({ series }) => {
    const own = series.filter((one) => one.metric.name === metric);
    return ['cpu', 'memory', 'remainder', undefined].map(
      (hwType) => own.filter(({ attributes }) => attributes['hw.type'] === hwType).length,
    );
  });
  return Math.max(...counts);
}

const runs = [1, 2].flatMap((seed) =>
  idles.flatMap((idle) =>
    [false, true].flatMap((hasFaults) =>
      [0, 2, 50].map((limit) => ({ seed, idle, hasFaults, limit, hasHost: limit === 50 })),
    ),
  ),
);

for (const { seed, idle, hasFaults, limit, hasHost } of runs) {
  const options = `${hasFaults ? ', faults' : ''}${hasHost ? ', meter of the host' : ''}`;
  const name = `machine ${seed}, idle ${idle}, limit ${limit}${options}`;
  const playIt = () =>
    play(
      { seed, hasFaults, hasHost, scans: hasHost ? 400 : 200, scanS: 1 },
      { idle, process_limit: limit, group_limit: limit },
    );

  test(`attribution balances to the nanojoule: ${name}`, () => {
    const rig = playIt();
    assert.deepEqual(
      rig.logLines.filter((line) => line.startsWith('error')),
      [],
    );
    for (const hwType of hasHost ? ['cpu', 'memory', 'remainder'] : ['cpu', 'memory']) {
      const attributed = sumPart(rig, 'attributed', hwType);
      assert.ok(attributed > 0);
      for (const metric of metrics) {
        assert.ok(isClose(sumLast(rig, metric, hwType), attributed), `${metric} of ${hwType}`);
      }
    }
    if (limit === 0) return;
    // Groups that lost their place are in one more row if their last energy arrives late. In addition: `other`,
    // `none`.
    for (const metric of metrics) assert.ok(countMost(rig, metric) <= 2 * limit + 2, metric);
    assert.ok(countMost(rig, 'process.cpu.time') <= 2 * limit);
  });

  test(`attribution publishes counters that never fall, in order of time: ${name}`, () => {
    const rig = playIt();
    const ended = new Set<Series>();
    for (const table of rig.out.tables) {
      for (const series of table.series) assert.ok(!ended.has(series));
      for (const series of table.ended ?? []) ended.add(series);
    }
    for (const [series, points] of collectPoints(rig)) {
      if (!series.metric.name.endsWith('.energy') || meteredEnergyNames.has(series.metric.name)) continue;
      assert.ok(points[0].at > series.start && points[0].value >= 0);
      for (let i = 1; i < points.length; i++) {
        assert.ok(points[i].at > points[i - 1].at && points[i].value >= points[i - 1].value);
      }
    }
  });
}

test('attribution books all energy that was measured up to the last reading', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const rig = play({ seed, scans: 100, scanS: 1 });
    const meters = [...collectPoints(rig)].filter(([{ metric }]) => metric.name === 'hw.energy');
    for (const [meter, readings] of meters) {
      const parts = Object.values(rig.parts(String(meter.attributes['hw.id'])));
      const booked = parts.reduce((sum, value) => sum + value, 0);
      const known = readings.map(({ value }) => value).filter((joules) => !Number.isNaN(joules));
      // The meter may be slow, and then its first reading does not count.
      const begins = [...new Set(known)].slice(0, 2);
      const growths = begins.map((begin) => known[known.length - 1] - begin);
      assert.ok(
        growths.some((joules) => Math.abs(joules - booked) < 1e-6),
        `${booked}, wanted one of ${growths.join(', ')}`,
      );
    }
  }
});

test('attribution gives the same result for any order in which processes are read', () => {
  for (const seed of [1, 2, 3]) {
    const values = [undefined, 7, 8].map((orderSeed) => {
      const options = { seed, scans: 100, scanS: 1, ...(orderSeed !== undefined && { orderSeed }) };
      const rig = play(options, { process_limit: 3, group_limit: 2 });
      const all = ['ledger.energy', ...metrics].flatMap((metric) => rig.out.last(metric));
      return new Map(all.map(({ series, value }) => [`${seriesKey(series)} ${series.start}`, value]));
    });
    assert.deepEqual(values[1], values[0]);
    assert.deepEqual(values[2], values[0]);
  }
});

test('attribution balances with windows of a millisecond', () => {
  const rig = play({ seed: 9, scans: 2000, scanS: 0.001 });
  assert.deepEqual(
    rig.logLines.filter((line) => line.startsWith('error')),
    [],
  );
  assert.ok(isClose(sumLast(rig, 'process.energy', 'cpu'), sumPart(rig, 'attributed', 'cpu')));
});
