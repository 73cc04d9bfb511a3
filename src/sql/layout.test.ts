import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createSeriesRow, seriesColumns } from './layout.js';
import { encodeSeries } from './series-record.js';

function rowOf(resource: Attributes, attributes: Attributes = {}): Readonly<Record<string, unknown>> {
  const series: Series = { metric: hwEnergy, resource: { attributes: resource }, attributes, start: 5n };
  const cells = createSeriesRow({ id: 1n, series });
  return Object.fromEntries(seriesColumns.map(({ name }, i) => [name, cells[i]]));
}

test('the column workload has the name of the subject of a series', () => {
  const pod = { 'k8s.pod.name': 'web-1', 'k8s.namespace.name': 'shop' };
  const container = { ...pod, 'container.id': 'abc', 'container.name': 'nginx' };
  const program = { ...container, 'process.executable.name': 'nginx-worker', 'process.pid': 12 };
  const names = [{}, { 'k8s.namespace.name': 'shop' }, pod, container, program, { 'slurm.job.id': 77 }];
  assert.deepEqual(
    names.map((resource) => rowOf(resource)['workload']),
    [null, 'shop', 'web-1', 'nginx', 'nginx-worker', '77'],
  );
  const {
    host,
    pid,
    job,
    namespace,
    container: found,
  } = rowOf({ ...program, 'host.name': 'n1', 'pbs.job.id': 'x' });
  assert.deepEqual([host, pid, job, namespace, found], ['n1', 12n, 'x', 'shop', 'nginx']);
  assert.equal(rowOf({ 'process.pid': 'none' })['pid'], null);
});

test('a series has the same id in any order of its attributes, and another one after a reset', () => {
  const series: Series = {
    metric: hwEnergy,
    resource: { attributes: { a: 1, b: 2 } },
    attributes: {},
    start: 5n,
  };
  const { id } = encodeSeries(series);
  assert.equal(id, 1_757_517_796_503_721_429n);
  assert.equal(encodeSeries({ ...series, resource: { attributes: { b: 2, a: 1 } } }).id, id);
  const described = { ...series, metric: { ...hwEnergy, description: 'In other words' } };
  assert.equal(encodeSeries(described).id, id);
  for (const other of [{ start: 6n }, { attributes: { a: 1 } }, { metric: { ...hwEnergy, name: 'x' } }])
    assert.notEqual(encodeSeries({ ...series, ...other }).id, id);
});
