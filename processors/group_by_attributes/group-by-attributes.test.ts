import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import type { Attributes, MetricKind, Resource, Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { factory } from './factory.js';

const host: Resource = { attributes: { 'host.name': 'node-1', team: 'none' } };

function seriesOf(kind: MetricKind, attributes: Attributes, changes: Partial<Series> = {}): Series {
  const metric = { name: `test.${kind}`, unit: 'J', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: host, attributes, start: 0n, ...changes };
}

function createRig(keys: readonly string[]) {
  const [log, next] = [createLogCollector(), createTableCollector()];
  const processor = factory.create(parseSettings(factory.schema, { keys }), createFakeContext({ log }), next);
  return { log, next, processor };
}

test('group_by_attributes moves attributes to the resource, where a series has them', () => {
  const { processor, next } = createRig(['team', 'rack']);
  const series = [
    seriesOf('counter', { team: 'red', 'hw.id': 'package-0' }),
    seriesOf('counter', { team: 'red', 'hw.id': 'package-1' }),
    seriesOf('counter', { 'hw.id': 'package-2' }),
  ];
  processor.consume(createRow(series, 1n, Float64Array.of(1, 2, 3)));
  const [table] = next.tables;
  assert.deepEqual(
    table.series.map(({ resource, attributes }) => [resource.attributes, attributes]),
    [
      [{ 'host.name': 'node-1', team: 'red' }, { 'hw.id': 'package-0' }],
      [{ 'host.name': 'node-1', team: 'red' }, { 'hw.id': 'package-1' }],
      [{ 'host.name': 'node-1', team: 'none' }, { 'hw.id': 'package-2' }],
    ],
  );
  assert.equal(table.series[0].resource, table.series[1].resource, 'one object');
  assert.equal(table.series[2], series[2], 'what has none of the keys stays');
});

test('group_by_attributes forwards a table itself, when no series has a key', () => {
  const { processor, next } = createRig(['team']);
  const table = createRow([seriesOf('gauge', { 'hw.id': 'a' })], 1n, Float64Array.of(1));
  processor.consume(table);
  assert.equal(next.tables[0], table);
});

test('group_by_attributes sums what becomes the same, over resets and ends, and takes no mean', () => {
  const { processor, next, log } = createRig(['team']);
  // One is of a resource that has the team by itself.
  const own = { resource: { attributes: { 'host.name': 'node-1', team: 'red' } } };
  for (const kind of ['counter', 'updowncounter', 'gauge'] as const) {
    const [one, other] = [seriesOf(kind, { team: 'red' }), seriesOf(kind, {}, own)];
    processor.consume(createRow([one, other], 10n, Float64Array.of(5, 7)));
    const again = seriesOf(kind, { team: 'red' }, { start: 15n });
    const row = createRow([again, other], 20n, Float64Array.of(1, 8));
    processor.consume({ ...row, ended: [one] });
    processor.consume(createEnding([again], 21n));
    processor.consume(createRow([other], 30n, Float64Array.of(9)));
  }
  const valuesOf = (kind: MetricKind) =>
    next.tables.flatMap(({ series, values }) =>
      series[0]?.metric.name === `test.${kind}` ? [...values] : [],
    );
  assert.deepEqual(valuesOf('counter'), [12, 14, 15]);
  assert.deepEqual(valuesOf('updowncounter'), [12, 9, 9]);
  assert.deepEqual(valuesOf('gauge'), [12, 9, 9]);
  assert.deepEqual(log.lines, []);
  checkTables(next.tables);
});
