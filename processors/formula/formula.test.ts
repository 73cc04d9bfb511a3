import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, MetricKind, Series } from '../../src/model/series.js';
import { createEnding, createRow, timeOf, type Table } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const epoch = 1_800_000_000_000_000_000n;
const unixNs = (seconds: number) => epoch + BigInt(Math.round(seconds * 1e9));

interface Described {
  readonly kind?: MetricKind;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
  readonly startS?: number;
}

function createSeries(
  name: string,
  { kind = 'counter', attributes = {}, resource = {}, startS = 0 }: Described = {},
): Series {
  const metric = { name, unit: 'J', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: resource }, attributes, start: unixNs(startS) };
}

/** The processor with some formulas, and the points of what these give: seconds, value, and the values of the attributes. */
function create(formulas: readonly object[], settings: object = {}) {
  const out = createTableCollector();
  const config = parseSettings(schema, { ...settings, formulas });
  assert.deepEqual(factory.check?.(config), []);
  const processor = factory.create(
    config,
    createFakeContext({ host: { attributes: { 'host.name': 'node' } } }),
    out,
  );
  return {
    out,
    consume: (table: Table) => processor.consume(table),
    feed: (atS: number, series: readonly Series[], values: readonly number[]) =>
      processor.consume(createRow(series, unixNs(atS), Float64Array.from(values))),
    points: (name: string) =>
      out.tables.flatMap((table) =>
        table.series.flatMap((series, column) => {
          if (series.metric.name !== name) return [];
          const labels = [
            ...Object.values(series.resource.attributes).slice(1),
            ...Object.values(series.attributes),
          ];
          return Array.from(table.offsets, (_, row) => [
            Number(timeOf(table, row) - epoch) / 1e9,
            Math.round((table.values[row * table.series.length + column] ?? NaN) * 1e6) / 1e6,
            ...labels,
          ]);
        }),
      ),
  };
}

const energy = { name: 'energy', metric: 'hw.energy' };

test('formula gives the growth of a counter within each window, whatever its readings', () => {
  const meter = [createSeries('hw.energy')];
  const { feed, points } = create([{ name: 'x', expression: 'energy', inputs: [energy] }]);
  for (const [atS, joules] of [
    [0.4, 4],
    [0.9, 9],
    [1.4, 14],
    [2.4, 34],
    [3, 46],
  ] as const)
    feed(atS, meter, [joules]);
  assert.deepEqual(points('x'), [
    [1, 10],
    [2, 16],
    [3, 20],
  ]);
});

test('formula works on several inputs, and on one metric twice', () => {
  const series = [
    createSeries('hw.energy', { attributes: { 'hw.type': 'cpu' } }),
    createSeries('hw.energy', { attributes: { 'hw.type': 'memory' } }),
    createSeries('hw.temperature', { kind: 'gauge' }),
  ];
  const { feed, points } = create([
    {
      name: 'x',
      expression: 'cpu / (cpu + memory) > 0.7 && temperature > 50 ? max(cpu, memory, 1) : -(memory ** 2)',
      inputs: [
        { name: 'cpu', metric: 'hw.energy', attributes: { 'hw.type': 'cpu' }, take: 'rate' },
        { name: 'memory', metric: 'hw.energy', attributes: { 'hw.type': 'memory' }, take: 'rate' },
        { name: 'temperature', metric: 'hw.temperature' },
      ],
    },
  ]);
  feed(0, series, [0, 0, 60]);
  feed(1, series, [8, 2, 60]);
  feed(2, series, [10, 5, 60]);
  feed(3, series, [18, 7, 20]);
  assert.deepEqual(points('x'), [
    [1, 8],
    [2, -9],
    [3, -4],
  ]);
});

test('formula has a result for each group, and inputs without its attributes count for all', () => {
  const package0 = createSeries('hw.energy', { attributes: { 'hw.id': 'a' } });
  const processes = [1, 2].map((pid) =>
    createSeries('process.cpu.time', { resource: { 'process.pid': pid } }),
  );
  const { feed, points, out } = create([
    {
      name: 'shared',
      kind: 'counter',
      expression: 'energy * used / 4',
      group_by: ['process.pid'],
      inputs: [energy, { name: 'used', metric: 'process.cpu.time', take: 'rate' }],
    },
  ]);
  const series = [package0, ...processes];
  feed(0, series, [0, 0, 0]);
  feed(1, series, [100, 1, 2]);
  feed(2, series, [200, 1, 4]);
  assert.deepEqual(points('shared'), [
    [1, 25, 1],
    [1, 50, 2],
    [2, 25, 1],
    [2, 100, 2],
  ]);
  const result = out.tables.flatMap((table) => table.series).find(({ metric }) => metric.name === 'shared');
  assert.deepEqual(result?.resource.attributes, { 'host.name': 'node', 'process.pid': 1 });
  assert.equal(result?.start, unixNs(0));
  assert.equal(result?.metric.kind, 'counter');
});

test('formula combines the series of a group as `combine` says', () => {
  const series = [10, 30].map((_, i) => createSeries('t', { kind: 'gauge', attributes: { id: i } }));
  const combined = ['sum', 'mean', 'min', 'max'].map((combine) => ({
    name: combine,
    expression: 't',
    inputs: [{ name: 't', metric: 't', combine }],
  }));
  const { feed, points } = create(combined);
  feed(0, series, [10, 30]);
  feed(1, series, [10, 50]);
  assert.deepEqual(
    combined.map(({ name }) => points(name)[0]?.[1]),
    [50, 25, 10, 40],
  );
});

test('formula keeps what a process used that was born and died in a window, and ends with the last one', () => {
  const [old, brief] = [
    createSeries('e', { resource: { pid: 1 } }),
    createSeries('e', { resource: { pid: 2 }, startS: 1.2 }),
  ];
  const { feed, consume, points, out } = create([
    { name: 'all', expression: 'e', inputs: [{ name: 'e', metric: 'e' }] },
    { name: 'each', expression: 'e', group_by: ['pid'], inputs: [{ name: 'e', metric: 'e' }] },
  ]);
  feed(0, [old], [0]);
  feed(1, [old], [1]);
  feed(1.7, [old, brief], [1.7, 5]);
  consume(createEnding([brief], unixNs(1.7)));
  feed(2, [old], [2]);
  feed(3, [old], [3]);
  assert.deepEqual(points('all'), [
    [1, 1],
    [2, 6],
    [3, 1],
  ]);
  assert.deepEqual(points('each'), [
    [1, 1, 1],
    [2, 1, 1],
    [2, 5, 2],
    [3, 1, 1],
  ]);
  const ended = out.tables
    .flatMap(({ ended: gone = [] }) => gone)
    .filter(({ metric }) => metric.name === 'each');
  assert.deepEqual(
    ended.map(({ resource }) => resource.attributes['pid']),
    [2],
  );
});

test('formula waits for a slow input, and gives it up after max_lag', () => {
  const [fast, slow] = [createSeries('a'), createSeries('b')];
  const { feed, points } = create(
    [
      {
        name: 'x',
        expression: 'a + b',
        inputs: [
          { name: 'a', metric: 'a' },
          { name: 'b', metric: 'b' },
        ],
      },
    ],
    { max_lag: '4s' },
  );
  feed(0, [slow], [0]);
  for (const s of [0, 1, 2, 3]) feed(s, [fast], [s]);
  assert.deepEqual(points('x'), []);
  feed(3, [slow], [30]);
  assert.deepEqual(points('x'), [
    [1, 11],
    [2, 11],
    [3, 11],
  ]);
  for (const s of [4, 5, 6, 7, 8]) feed(s, [fast], [s]);
  assert.deepEqual(points('x').at(-1), [4, NaN]);
});

test('formula spans gaps, and leaves the windows of a gauge out that are not known', () => {
  const series = [createSeries('c'), createSeries('g', { kind: 'gauge', startS: -5 })];
  const { feed, points } = create([
    { name: 'x', expression: 'c', inputs: [{ name: 'c', metric: 'c' }] },
    { name: 'y', expression: 'g', inputs: [{ name: 'g', metric: 'g' }] },
  ]);
  feed(0.5, series, [5, 100]);
  feed(1.5, series, [NaN, NaN]);
  feed(2.5, series, [25, 300]);
  feed(3.5, series, [35, 300]);
  assert.deepEqual(points('x'), [
    [1, 10],
    [2, 10],
    [3, 10],
  ]);
  assert.deepEqual(points('y'), [
    [1, NaN],
    [2, 200],
    [3, 287.5],
  ]);
});

test('formula gives a row for each window of a table with many rows', () => {
  const series = [createSeries('c')];
  const { consume, points, out } = create(
    [{ name: 'x', expression: 'c', inputs: [{ name: 'c', metric: 'c' }] }],
    {
      window: '10ms',
    },
  );
  const offsets = Float64Array.from({ length: 10_001 }, (_, i) => i * 1e5);
  consume({ series, epoch, offsets, values: Float64Array.from(offsets, (offset) => offset / 1e9) });
  assert.equal(points('x').length, 100);
  assert.ok(points('x').every(([, value]) => value === 0.01));
  assert.equal(out.tables.length, 2);
});

test('the windows of a counter add up to all that it counted, however it is read and cut into tables', () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 900 }), fc.nat(50), fc.boolean());
  holdsFor(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
    const { feed, points } = create(
      [{ name: 'x', kind: 'counter', expression: 'c', inputs: [{ name: 'c', metric: 'c' }] }],
      {
        window: '250ms',
      },
    );
    const series = [createSeries('c')];
    let [ms, count] = [0, 0];
    const known: (readonly [number, number])[] = [[0, 0]];
    feed(0, series, [0]);
    for (const [wait, growth, isRead] of steps) {
      ms += wait;
      count += growth;
      feed(ms / 1000, series, [isRead ? count : NaN]);
      if (isRead) known.push([ms, count]);
    }
    for (const [seconds, value] of points('x') as unknown as (readonly [number, number])[]) {
      const next = known.findIndex(([at]) => at >= seconds * 1000);
      const [at, to] = known[next] ?? [NaN, NaN];
      const [before, from] = known[next - 1] ?? [0, 0];
      const expected = at === before ? to : from + ((to - from) * (seconds * 1000 - before)) / (at - before);
      assert.ok(Math.abs(value - expected) < 1e-5, `${value}, expected ${expected} at ${seconds} s`);
    }
    assert.equal(points('x').length, Math.floor((known.at(-1)?.[0] ?? 0) / 250));
  });
});

test('formula says what is wrong with a formula', () => {
  const inputs = [{ name: 'a', metric: 'm' }];
  assert.match(problemsOf({}), /formulas\[0\]\.name: expected the name of a metric, found none/u);
  assert.match(problemsOf({ name: 'x' }), /inputs: expected at least one, found none/u);
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'b * 2' }),
    /expected one of the inputs a, found "b"/u,
  );
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'a *' }),
    /expression: expected an expression, found "a \*"/u,
  );
  assert.match(problemsOf({ name: 'x', inputs, expression: 'a.b' }), /found a MemberExpression/u);
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'sin(a)' }),
    /expected a function of abs ceil .*, found "sin"/u,
  );
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'abs(a, 1)' }),
    /expected 1 argument of abs\(\), found 2/u,
  );
  assert.match(problemsOf({ name: 'x', inputs, expression: '"a"' }), /expected a number, found "a"/u);
  assert.match(problemsOf({ name: 'x', inputs, expression: 'a.constructor("x")' }), /expected a function/u);
  assert.match(
    problemsOf({ name: 'x', inputs: [...inputs, ...inputs] }),
    /expected each name once, found "a" twice/u,
  );
  assert.match(
    problemsOf({ name: 'x', inputs: [{ name: 'a b', metric: 'm' }] }),
    /expected letters, digits and _/u,
  );
});

/** What is wrong with a formula. */
function problemsOf(formula: object): string {
  return (factory.check?.(parseSettings(schema, { formulas: [formula] })) ?? []).join('\n');
}
