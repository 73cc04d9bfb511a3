import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeries, unixNs } from '../../src/windows/windows.fixture.js';
import { create, energy } from './formula.fixture.js';

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

test('formula has no result of an unknown value, also in a comparison, nor of a division by zero', () => {
  const counter = createSeries('n');
  const expressions = ['t < 5', 't == t', '!t', 't ? 1 : 2', 't && 1', 't ** 0', '1 / n', '-1 / n'];
  const formulas = expressions.map((expression, i) => ({
    name: `x${i}`,
    expression,
    inputs: [
      { name: 't', metric: 't' },
      { name: 'n', metric: 'n' },
    ],
  }));
  const { feed, points } = create(formulas);
  feed(0, [counter], [0]);
  feed(1, [counter], [0]);
  const found = formulas.map(({ name }) => points(name)[0]?.[1]);
  assert.deepEqual(
    found,
    expressions.map(() => NaN),
  );
});

test('formula continues a sum after a division by zero', () => {
  const [joules, count] = [createSeries('hw.energy'), createSeries('n')];
  const { feed, points } = create([
    { name: 'x', kind: 'counter', expression: 'energy / n', inputs: [energy, { name: 'n', metric: 'n' }] },
  ]);
  for (const [atS, values] of [
    [0, [0, 0]],
    [1, [10, 5]],
    [2, [20, 5]],
    [3, [30, 10]],
  ] as const)
    feed(atS, [joules, count], values);
  assert.deepEqual(points('x'), [
    [1, 2],
    [2, NaN],
    [3, 4],
  ]);
});

test('formula takes no growth of a gauge, and warns once', () => {
  const gauges = [1, 2].map((id) => createSeries('t', { kind: 'gauge', attributes: { id } }));
  const { feed, points, log } = create([
    { name: 'x', expression: 't', inputs: [{ name: 't', metric: 't', take: 'rate' }] },
  ]);
  feed(0, gauges, [1, 2]);
  feed(1, gauges, [1, 2]);
  assert.deepEqual(points('x'), []);
  assert.deepEqual(log.lines, [
    'warn: Cannot use "t" as input "t" of "x": expected a counter, which has a rate, found a gauge; set "take: value"',
  ]);
});
