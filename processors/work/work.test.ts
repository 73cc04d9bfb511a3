import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { HistogramRow, HistogramRows } from '../../src/model/histogram-table.js';
import type { HistogramSeries, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { epoch, unixNs } from '../../src/windows/windows.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { counted, create, createSeries, energy, last, requests, service } from './work.fixture.js';

test('work assigns the energy of a workload to its only counter, window by window', () => {
  const { feed, points, energies } = create([requests]);
  for (const [atS, joules, count] of [
    [0, 0, 0],
    [1, 10, 4],
    [2, 30, 9],
    [3, 31, 9],
  ] as const) {
    feed(atS, [energy, counted], [joules, count]);
  }
  assert.deepEqual(energies(), { request: 30, undivided: 1 });
  const ratios = points('work.energy.per_unit').filter(
    ({ series }) => series.attributes['work.method'] === 'ratio',
  );
  assert.deepEqual(
    ratios.map(({ atS, value }) => [atS, value]),
    [
      [1, 2.5],
      [2, 4],
      [3, NaN],
    ],
  );
});

test('work leaves energy undivided while no work was done, and counts none before the first counter', () => {
  const { feed, energies } = create([requests], { max_lag: '30s' });
  feed(0, [energy], [0]);
  feed(1, [energy], [100]);
  feed(2, [energy], [200]);
  const fresh = createSeries('requests', { startS: 2.1 });
  feed(2.1, [fresh], [7]);
  feed(3, [energy], [300]);
  assert.deepEqual(energies(), {});
  feed(3.1, [fresh], [7]);
  feed(4, [energy], [400]);
  feed(5, [energy], [400]);
  feed(40, [energy], [400]);
  assert.equal(energies()['undivided'], 200, 'from the first window with a counter on');
});

function createOf(owner: string, name: string): Series {
  return createSeries(name, { resource: { 'service.name': owner } });
}

test('work matches energy and counters by their attributes, and ignores other services', () => {
  const [a, b, ofA, ofB, ofC] = [
    createOf('a', 'service.energy'),
    createOf('b', 'service.energy'),
    createOf('a', 'requests'),
    createOf('b', 'requests'),
    createOf('c', 'requests'),
  ];
  const { feed, points } = create([requests]);
  const series = [a, b, ofA, ofB, ofC];
  feed(0, series, [0, 0, 0, 0, 0]);
  feed(1, series, [1, 20, 1, 2, 9]);
  const found = points('work.energy', 'request').map(({ series: { resource }, value }) => [
    resource.attributes['service.name'],
    value,
  ]);
  assert.deepEqual(found, [
    ['a', 1],
    ['b', 20],
  ]);
});

test('work adds up to the energy of the workload, to the nanojoule, for any input', () => {
  const growth = fc.record({
    energyNj: fc.nat(2_000_000_000),
    prompt: fc.nat(5000),
    cached: fc.nat(5000),
    generated: fc.nat(900),
    other: fc.nat(3),
    isMissing: fc.boolean(),
  });
  holdsFor(
    fc.tuple(fc.array(growth, { minLength: 1, maxLength: 60 }), fc.boolean(), fc.constantFrom(0.05, 1)),
    ([rows, background, maxResidual]) => {
      const workload = {
        background,
        split_by: ['model'],
        units: [
          { name: 'prompt', metric: 'prompt', minus: 'cached' },
          { name: 'generated', metric: 'generated' },
        ],
      };
      const { feed, points } = create([workload], { max_residual: maxResidual, max_lag: '2s' });
      const series = [
        energy,
        createSeries('prompt'),
        createSeries('cached'),
        createSeries('generated', { attributes: { model: 'a' } }),
        createSeries('generated', { attributes: { model: 'b' } }),
      ];
      const sums = [0, 0, 0, 0, 0];
      feed(0, series, sums);
      let reachedNj = 0;
      for (const [i, { energyNj, prompt, cached, generated, other, isMissing }] of rows.entries()) {
        reachedNj += energyNj;
        for (const [column, grown] of [0, prompt, cached, generated, other].entries()) {
          sums[column] = (sums[column] ?? NaN) + grown;
        }
        feed(i + 1, series, [
          reachedNj / 1e9,
          sums[1] ?? NaN,
          isMissing ? NaN : (sums[2] ?? NaN),
          ...sums.slice(3),
        ]);
      }
      // A window waits for the counters; afterwards nothing changes any more.
      for (let i = 1; i < 5; i++) feed(rows.length + i, series, [reachedNj / 1e9, ...sums.slice(1)]);
      const ends = new Map(points('work.energy').map(({ series: one, value }) => [one, value]));
      const partsNj = [...ends.values()].map((joules) => Math.round(joules * 1e9));
      assert.equal(
        partsNj.reduce((sum, nj) => sum + nj, 0),
        reachedNj,
      );
      assert.ok(points('work.energy').every(({ value }) => value >= 0));
    },
  );
});

test('work publishes only the ratio of each window if its counters explain too little', () => {
  const random = createRandom(7);
  const [a, b] = [createSeries('a'), createSeries('b')];
  const workload = {
    units: [
      { name: 'a', metric: 'a' },
      { name: 'b', metric: 'b' },
    ],
  };
  const { feed, points, energies } = create([workload], { max_residual: 0.1 });
  let [joules, countA, countB] = [0, 0, 0];
  for (let second = 0; second < 100; second++) {
    feed(second, [energy, a, b], [joules, countA, countB]);
    joules += 100 * random.fraction();
    countA += 1 + random.whole(3);
    countB += 1 + random.whole(3);
  }
  const { undivided = NaN, ...others } = energies();
  assert.deepEqual(others, { a: 0, b: 0 });
  assert.ok(undivided > 0 && last(points('work.residual')) > 0.1);
  const methods = (method: string) =>
    points('work.energy.per_unit', 'a').filter(({ series }) => series.attributes['work.method'] === method);
  assert.ok(methods('regression').every(({ value }) => Number.isNaN(value)));
  assert.ok(methods('ratio').every(({ value }) => value > 0));
});

test('work assigns constant power of a workload to the background', () => {
  const random = createRandom(8);
  const { feed, energies } = create([{ ...requests, background: true }]);
  let [joules, count] = [0, 0];
  for (let second = 0; second <= 1000; second++) {
    feed(second, [energy, counted], [joules, count]);
    const grown = random.whole(20);
    count += grown;
    joules += 30 + 2 * grown;
  }
  const { background = NaN, request = NaN } = energies();
  // The mean is 9.5 requests per second; the first 20 are used for learning.
  assert.ok(Math.abs(background / request - 30 / 19) < 0.06, `${background} J and ${request} J`);
});

test('work counts the requests of an HTTP server by the histogram of their duration', () => {
  const duration: HistogramSeries = {
    metric: { name: 'http.server.request.duration', unit: 's', description: '', kind: 'histogram' },
    resource: { attributes: service },
    attributes: { 'http.route': '/' },
    start: epoch,
  };
  const { feed, processor, energies, out } = create([{ preset: 'http' }]);
  for (const [second, joules, count] of [
    [0, 0, 0],
    [1, 10, 4],
    [2, 16, 6],
  ] as const) {
    feed(second, [energy], [joules]);
    const [rows, row] = [new HistogramRows(), new HistogramRow()];
    row.count = count;
    rows.add(duration, 0, row);
    processor.consumeHistograms?.(rows.take(unixNs(second)));
  }
  assert.deepEqual(energies(), { request: 16, undivided: 0 });
  assert.equal(out.histograms.length, 3, 'forwarded');
});

test('work leaves a window undivided if a counter is not known in time', () => {
  const { feed, energies } = create([requests], { max_lag: '2s' });
  feed(0, [energy, counted], [0, 0]);
  feed(1, [energy, counted], [10, 1]);
  for (const second of [2, 3, 4, 5]) feed(second, [energy], [10 * second]);
  assert.deepEqual(energies(), { request: 10, undivided: 20 });
  feed(6, [energy, counted], [60, 6]);
  feed(7, [energy, counted], [70, 7]);
  assert.deepEqual(energies(), { request: 50, undivided: 20 });
});

test('work continues after a reset of its counters, and ends its series with the energy', () => {
  const fresh = createSeries('requests', { startS: 1.5 });
  const { feed, processor, energies, out } = create([requests]);
  feed(0, [energy, counted], [0, 0]);
  feed(1, [energy, counted], [10, 100]);
  processor.consume({ ...createRow([fresh], unixNs(2), Float64Array.of(3)), ended: [counted] });
  feed(2, [energy], [20]);
  assert.deepEqual(energies(), { request: 20, undivided: 0 });
  const table: Table = createEnding([energy], unixNs(2));
  processor.consume(table);
  feed(4, [fresh], [9]);
  const ended = out.tables.flatMap((one) => one.ended ?? []).map(({ metric }) => metric.name);
  assert.deepEqual(ended.toSorted(), [
    'requests',
    'service.energy',
    'work.energy',
    'work.energy',
    'work.energy.per_unit',
    'work.energy.per_unit',
    'work.residual',
  ]);
});

function check(workloads: readonly object[]): readonly string[] | undefined {
  return factory.check?.(parseSettings(schema, { workloads }));
}

test('work divides no gauge and by none, and warns of each once', () => {
  const [power, queued] = ['service.energy', 'requests'].map((name) => createSeries(name, { kind: 'gauge' }));
  for (const [series, name] of [
    [[power, counted], 'service.energy'],
    [[energy, queued], 'requests'],
  ] as const) {
    const { feed, energies, log } = create([requests]);
    for (const atS of [0, 1, 2]) feed(atS, series, [10 * atS, atS]);
    assert.deepEqual(energies(), {});
    assert.deepEqual(log.lines, [
      `warn: Cannot use "${name}": expected a counter or a histogram, found a gauge; it is left out`,
    ]);
  }
});

test('work rejects inconsistent settings', () => {
  assert.deepEqual(check([{}]), ['workloads[0]: expected a preset or units, found neither']);
  assert.deepEqual(check([{ units: [{ name: 'undivided', metric: 'a' }, { name: 'b' }] }]), [
    'workloads[0].units[0].name: expected none of background, undivided, found "undivided"',
    'workloads[0].units[1].metric: expected the name of a metric, found none',
  ]);
  assert.deepEqual(check([{ units: [{ name: '', metric: 'a' }] }]), [
    'workloads[0].units[0].name: expected a name, found none',
  ]);
  assert.deepEqual(check([{ preset: 'http' }, { preset: 'vllm' }]), [
    'workloads[1]: expected other energy than that of workloads[0], found service.energy with the same attributes',
  ]);
  assert.deepEqual(check([{ ...requests, energy: 'rack.joules', carbon: {} }]), [
    'workloads[0].carbon.metric: expected the counter of the emissions, as the name of the energy counter does not end in ".energy", found none',
  ]);
});
